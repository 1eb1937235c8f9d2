//! The sections about the container that this program runs in: those of an application's, or of the quote
//! service's own.

mod mount;
mod variable;

use std::path::PathBuf;
use std::time::SystemTime;

use quoting::QuotingMode;
use verify::TrustedRoots;

use self::mount::Mount;
use super::devices::Devices;
use super::finding::{Finding, Section};
use super::processor::Processor;
use super::service::{Place, Service};
use super::service_section::ServiceSection;
use crate::endorsements::Endorsements;

/// What turns the quote service on.
const ENABLE: &str = "quote-helper install --enable-sgxquotehelper";

/// Looks at this container, and at the service at `socket`. It is what a probe runs every few seconds: it reads
/// a handful of small files and asks for one quote.
pub(crate) fn sections(
    socket: PathBuf,
    source: &Endorsements,
    roots: &TrustedRoots,
) -> Vec<Section> {
    let processor = Processor::gather();
    let devices = Devices::gather();
    let mount = Mount::gather(&socket);
    let section = ServiceSection::gather(socket, source, roots);
    let service = &section.service;
    let found = socket_finding(service, &mount);
    let mut pod = vec![
        mount.finding(service),
        variable::finding(QuotingMode::of_process(), service, devices.has_provision()),
    ];
    pod.extend(devices.in_pod(&processor));
    vec![
        Section { name: "container", findings: pod },
        Section {
            name: "service",
            findings: section.findings(found, &processor, SystemTime::now()),
        },
    ]
}

/// The socket, with what to do about it in a cluster.
fn socket_finding(service: &Service, mount: &Mount) -> Finding {
    let name = "socket";
    let directory = service.socket.parent().unwrap_or(&service.socket).display();
    match (service.place, mount) {
        (Place::NoDirectory, _) | (Place::Nothing, Mount::Nothing) => {
            Finding::skipped(name, "its directory is not mounted", "see `mount`")
        }
        (Place::Nothing, _) => Finding::failed(
            name,
            format!(
                "{directory} is mounted, and there is no socket in it: the quote service is off, or does \
                 not run on this node"
            ),
            format!(
                "turn it on: `{ENABLE}`; if it is on, `quote-helper check --cluster` tells why this node \
                 has none"
            ),
        ),
        (Place::Hidden | Place::NoSocket | Place::Socket, _) => service.socket(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Status;
    use super::*;

    #[test]
    fn an_empty_directory_means_that_the_quote_service_is_off() {
        let directory = tempfile::tempdir().unwrap();
        let service = Service::gather(directory.path().join("aesm.socket"));
        let finding = socket_finding(&service, &Mount::Directory);
        assert_eq!(finding.status, Status::Failed);
        assert!(finding.fix.unwrap().contains(ENABLE));
    }

    #[test]
    fn what_is_not_mounted_is_said_once() {
        let directory = tempfile::tempdir().unwrap();
        for socket in ["aesm.socket", "nowhere/aesm.socket"] {
            let service = Service::gather(directory.path().join(socket));
            let finding = socket_finding(&service, &Mount::Nothing);
            assert_eq!(finding.status, Status::Skipped);
            assert!(finding.fix.unwrap().contains("`mount`"));
        }
    }
}
