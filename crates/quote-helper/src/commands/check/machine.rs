//! The sections about this machine.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use quoting::{DCAP_LIBRARY, SGX_ENCLAVE_DEVICE, find_library};
use verify::TrustedRoots;

use super::devices::Devices;
use super::driver::Driver;
use super::finding::Section;
use super::processor::Processor;
use super::service_section::ServiceSection;
use super::{libraries, platform};
use crate::endorsements::Endorsements;

/// Looks at this machine, and at the service at `socket`.
pub(crate) fn sections(
    socket: PathBuf,
    source: &Endorsements,
    roots: &TrustedRoots,
) -> Vec<Section> {
    let processor = Processor::gather();
    let driver = Driver::gather().findings(&processor);
    let devices = Devices::gather().findings(&processor);
    let device = Path::new(SGX_ENCLAVE_DEVICE).exists();
    let library = find_library(Path::new(DCAP_LIBRARY)).is_some();
    let libraries = libraries::findings(&libraries::gather(), &processor);
    let section = ServiceSection::gather(socket, source, roots);
    let service = section.findings(section.service.socket(), &processor, SystemTime::now());
    vec![
        Section { name: "processor", findings: processor.findings() },
        Section { name: "driver", findings: driver.into_iter().chain(devices).collect() },
        Section { name: "libraries", findings: libraries },
        Section { name: "platform", findings: vec![platform::finding(device, library)] },
        Section { name: "service", findings: service },
    ]
}
