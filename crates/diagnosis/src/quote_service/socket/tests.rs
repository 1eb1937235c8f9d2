//! The findings about the socket and its listener.

use std::io;

use super::*;
use crate::finding::Status;

fn service(path_state: PathState, holder: &str, answer: Result<u32, ClientError>) -> ServiceSocket {
    ServiceSocket {
        path: "/run/a/aesm.socket".into(),
        path_state,
        holder: Some(holder.into()),
        answer,
        place: Place::Machine(None),
    }
}

fn no_connection(kind: ErrorKind) -> ClientError {
    ClientError::Connect { socket: "/run/a/aesm.socket".into(), source: kind.into() }
}

#[test]
fn a_missing_socket_differs_from_a_missing_mount() {
    for (path_state, text) in [
        (PathState::NoDirectory, "mount that directory"),
        (PathState::Inaccessible, "chmod o+x /run"),
        (PathState::Missing, "start a service, `quote-helper serve`, or pass --socket"),
        (PathState::NotASocket, "remove it"),
        (PathState::Directory, "sudo rmdir /run/a/aesm.socket"),
    ] {
        let service = service(path_state, "", Err(no_connection(ErrorKind::NotFound)));
        let (socket, answer) = (service.finding(), service.answer());
        assert_eq!((socket.status, answer.status), (Status::Failed, Status::Skipped));
        let fix = socket.fix.unwrap();
        assert!(fix.contains(text), "{fix}");
    }
}

#[test]
fn intels_daemon_is_known_by_its_name() {
    let socket = service(PathState::Socket, "aesm_service", Ok(1)).finding();
    assert_eq!(socket.status, Status::Warning);
    assert!(socket.fix.unwrap().contains("systemctl disable --now aesmd"));
    let service = service(PathState::Socket, "quote-helper", Ok(1));
    assert_eq!([service.finding(), service.answer()].map(|it| it.status), [Status::Ok; 2]);
}

#[test]
fn the_holder_is_the_process_that_listens() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    assert_eq!(holder(&path), None);
    let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let own = fs::read_to_string("/proc/self/comm").unwrap();
    assert_eq!(holder(&path).as_deref(), Some(own.trim()));
}

#[test]
fn each_failed_answer_has_its_fix() {
    let timeout = ClientError::Timeout { socket: "a".into(), timeout: TIMEOUT };
    let cut = io::Error::from(ErrorKind::UnexpectedEof);
    for (answer, text) in [
        (Ok(0), "libsgx-aesm-quote-ex-plugin"),
        (Err(AesmError::ServiceUnavailable.into()), "libsgx-aesm-quote-ex-plugin"),
        (Err(AesmError::Unexpected.into()), "log of the service"),
        (Err(no_connection(ErrorKind::PermissionDenied)), "0666"),
        (Err(no_connection(ErrorKind::ConnectionRefused)), "quote-helper serve"),
        (Err(timeout), "ss -xlp"),
        (Err(ClientError::Disconnected(cut)), "ss -xlp"),
        (Err(aesm::ResponseError.into()), "speaks no AESM"),
    ] {
        let service = service(PathState::Socket, "", answer);
        assert!(!service.answers());
        let answer = service.answer();
        assert_eq!(answer.status, Status::Failed);
        assert!(answer.fix.as_ref().unwrap().contains(text), "{answer:?}");
    }
}
