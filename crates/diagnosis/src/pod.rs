//! The sections about the container that this program runs in: an application's or the quote
//! service's.

mod mount;
mod variable;

use std::time::SystemTime;

use quoting::QuotingMode;

use self::mount::SocketMount;
use crate::diagnosis::{Diagnosis, Subject};
use crate::finding::{Finding, Section};
use crate::host::{Devices, Processor};
use crate::quote_service::{PathState, QuoteService, QuoteServiceTarget, ServiceSocket};

/// The command that turns the quote service on.
const ENABLE: &str = "quote-helper install --enable-sgxquotehelper";

/// Checks this container. Cheap enough for a probe: it reads some small files and requests one
/// quote.
#[must_use]
pub fn check_pod(target: QuoteServiceTarget<'_>) -> Diagnosis {
    let processor = Processor::gather();
    let devices = Devices::gather();
    let mount = SocketMount::gather(&target.socket);
    let service = QuoteService::gather(target);
    let socket = &service.socket;
    let found = socket_finding(socket, &mount);
    let mut pod = vec![
        mount.finding(socket),
        variable::finding(QuotingMode::of_process(), socket, devices.has_provision()),
    ];
    pod.extend(devices.in_pod(&processor));
    let service = service.findings(found, &processor, SystemTime::now());
    let sections = vec![
        Section { name: "container", findings: pod },
        Section { name: "service", findings: service },
    ];
    Diagnosis::new(Subject::Pod, sections)
}

/// The finding about the socket, with the fix for a cluster.
fn socket_finding(service: &ServiceSocket, mount: &SocketMount) -> Finding {
    let name = "socket";
    let directory = service.path.parent().unwrap_or(&service.path).display();
    match (service.path_state, mount) {
        (PathState::NoDirectory, _) | (PathState::Missing, SocketMount::Nothing) => {
            Finding::skipped(name, "its directory is not mounted", "see `mount`")
        }
        (PathState::Missing, _) => Finding::failed(
            name,
            format!(
                "{directory} is mounted, and there is no socket in it: the quote service is off, \
                 or does not run on this node"
            ),
            format!(
                "turn it on: `{ENABLE}`; if it is on, `quote-helper check --cluster` tells why \
                 this node has none"
            ),
        ),
        (PathState::Inaccessible | PathState::NotASocket | PathState::Socket, _) => {
            service.finding()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Status;

    #[test]
    fn an_empty_directory_means_that_the_quote_service_is_off() {
        let directory = tempfile::tempdir().unwrap();
        let service = ServiceSocket::gather(directory.path().join("aesm.socket"));
        let finding = socket_finding(&service, &SocketMount::Directory);
        assert_eq!(finding.status, Status::Failed);
        assert!(finding.fix.unwrap().contains(ENABLE));
    }

    #[test]
    fn a_missing_mount_is_reported_once() {
        let directory = tempfile::tempdir().unwrap();
        for socket in ["aesm.socket", "nowhere/aesm.socket"] {
            let service = ServiceSocket::gather(directory.path().join(socket));
            let finding = socket_finding(&service, &SocketMount::Nothing);
            assert_eq!(finding.status, Status::Skipped);
            assert!(finding.fix.unwrap().contains("`mount`"));
        }
    }
}
