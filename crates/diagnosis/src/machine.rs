//! The sections about this machine.

use std::path::Path;
use std::time::SystemTime;

use quoting::{DCAP_LIBRARY, SGX_ENCLAVE_DEVICE, find_library};

use crate::diagnosis::{Diagnosis, Subject};
use crate::finding::Section;
use crate::host::{Devices, Driver, Processor, libraries, platform};
use crate::quote_service::{Place, QuoteService, QuoteServiceTarget, Units};

/// Checks this machine: processor, driver, libraries, and the quote service.
#[must_use]
pub fn check_machine(target: QuoteServiceTarget<'_>) -> Diagnosis {
    let processor = Processor::gather();
    let driver = Driver::gather().findings(&processor);
    let devices = Devices::gather().findings(&processor);
    let device = Path::new(SGX_ENCLAVE_DEVICE).exists();
    let library = find_library(Path::new(DCAP_LIBRARY)).is_some();
    let libraries = libraries::findings(&libraries::gather(), &processor);
    let place = Place::Machine(Units::gather(&target.socket));
    let service = QuoteService::gather(target, place);
    let service = service.findings(service.socket.finding(), &processor, SystemTime::now());
    let sections = vec![
        Section { name: "processor", findings: processor.findings() },
        Section { name: "driver", findings: driver.into_iter().chain(devices).collect() },
        Section { name: "libraries", findings: libraries },
        Section { name: "platform", findings: vec![platform::finding(device, library)] },
        Section { name: "service", findings: service },
    ];
    Diagnosis::new(Subject::Machine, sections)
}
