//! The sections about the container that this program runs in: an application's or the quote
//! service's.

mod mount;
mod variable;

use std::path::Path;
use std::time::SystemTime;

use quoting::QuotingMode;

use self::mount::SocketMount;
use crate::diagnosis::{Diagnosis, Subject};
use crate::finding::{Finding, Section};
use crate::host::{Devices, Processor};
use crate::mounts::Mount;
use crate::quote_service::{
    CHECK_CLUSTER, PathState, Place, QuoteService, QuoteServiceTarget, ServiceSocket, restarts,
};

/// The command that turns the quote service on, and keeps other settings.
const ENABLE: &str = "quote-helper upgrade --enable-sgxquotehelper";
/// The directory that the container of the add-on's quote service alone mounts.
const SERVICE_STATE: &str = "/var/lib/quote-helper";

/// Checks this container. Cheap enough for a probe: it reads some small files and requests one
/// quote.
#[must_use]
pub fn check_pod(target: QuoteServiceTarget<'_>) -> Diagnosis {
    let processor = Processor::gather();
    let devices = Devices::gather();
    let mount = SocketMount::gather(&target.socket);
    let service = QuoteService::gather(target, place());
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

/// The kind of this container, by its mounts.
fn place() -> Place {
    let state = Path::new(SERVICE_STATE);
    match Mount::of(state).is_some_and(|mount| mount.point == state) {
        true => Place::ServiceContainer,
        false => Place::Container,
    }
}

/// The finding about the socket, with the fix for a cluster.
fn socket_finding(service: &ServiceSocket, mount: &SocketMount) -> Finding {
    let name = "socket";
    let directory = service.path.parent().unwrap_or(&service.path).display();
    match (service.path_state, mount) {
        (PathState::NoDirectory | PathState::Missing, SocketMount::Nothing) => {
            Finding::skipped(name, "its directory is not mounted", "see `mount`")
        }
        (_, SocketMount::Directory { is_removed: true }) => {
            Finding::skipped(name, "the mounted directory was removed on the host", "see `mount`")
        }
        (PathState::NoDirectory | PathState::Missing, _) if service.is_in_service_container() => {
            let detail =
                format!("there is no socket in {directory}, although the service runs here");
            Finding::failed(name, detail, restarts())
        }
        (PathState::NoDirectory | PathState::Missing, _) => Finding::failed(
            name,
            format!(
                "{directory} is mounted, and there is no socket in it: the quote service is off, \
                 or does not run on this node"
            ),
            format!("turn it on, if it is off: `{ENABLE}`; if it is on, {CHECK_CLUSTER}"),
        ),
        (
            PathState::Inaccessible
            | PathState::Directory
            | PathState::NotASocket
            | PathState::Socket,
            _,
        ) => service.finding(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Status;

    #[test]
    fn an_empty_directory_means_that_the_quote_service_is_off() {
        let directory = tempfile::tempdir().unwrap();
        for socket in ["aesm.socket", "aesmd/aesm.socket"] {
            let finding = found(directory.path().join(socket), Place::Container, MOUNTED);
            assert_eq!(finding.status, Status::Failed);
            let fix = finding.fix.unwrap();
            assert!(fix.contains(ENABLE) && fix.contains("check --cluster"), "{fix}");
        }
    }

    #[test]
    fn the_service_itself_is_not_told_to_turn_itself_on() {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("aesm.socket");
        let finding = found(socket, Place::ServiceContainer, MOUNTED);
        assert_eq!(finding.status, Status::Failed);
        let fix = finding.fix.unwrap();
        assert!(fix.contains("the kubelet restarts it") && !fix.contains(ENABLE), "{fix}");
    }

    #[test]
    fn a_socket_that_a_dead_service_left_needs_no_change_of_the_container() {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("aesm.socket");
        // Dropping the listener leaves its socket behind.
        drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
        for (place, text) in [
            (Place::Container, "this container needs no change"),
            (Place::ServiceContainer, "the kubelet restarts it"),
            (Place::Machine(None), "start one, `quote-helper serve`"),
        ] {
            let answer = ServiceSocket::gather(socket.clone(), place).answer();
            assert_eq!(answer.status, Status::Failed);
            assert!(answer.fix.as_ref().unwrap().contains(text), "{answer:?}");
        }
    }

    #[test]
    fn a_directory_in_place_of_the_socket_is_the_hosts_to_remove() {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("aesm.socket");
        std::fs::create_dir(&socket).unwrap();
        let finding = found(socket, Place::Container, MOUNTED);
        assert!(finding.fix.as_ref().unwrap().contains("mount the directory"), "{finding:?}");
    }

    #[test]
    fn a_directory_that_the_host_has_removed_is_reported_by_its_mount() {
        let directory = tempfile::tempdir().unwrap();
        let removed = SocketMount::Directory { is_removed: true };
        let finding = found(directory.path().join("aesm.socket"), Place::Container, removed);
        assert_eq!(finding.status, Status::Skipped);
    }

    const MOUNTED: SocketMount = SocketMount::Directory { is_removed: false };

    fn found(socket: std::path::PathBuf, place: Place, mount: SocketMount) -> Finding {
        socket_finding(&ServiceSocket::gather(socket, place), &mount)
    }

    #[test]
    fn a_missing_mount_is_reported_once() {
        let directory = tempfile::tempdir().unwrap();
        for socket in ["aesm.socket", "nowhere/aesm.socket"] {
            let socket = directory.path().join(socket);
            let finding = found(socket, Place::Container, SocketMount::Nothing);
            assert_eq!(finding.status, Status::Skipped);
            assert!(finding.fix.unwrap().contains("`mount`"));
        }
    }
}
