//! The socket of the quote service, its listening process, and the service's answer.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use aesm::{Client, ClientError, Payload, Request};
use private_directory::quoted;
use sgx::AesmError;
use tokio::net::UnixStream;
use tokio::runtime::Builder;

use crate::finding::Finding;

/// The timeout of a request that a service answers from memory.
const TIMEOUT: Duration = Duration::from_secs(2);

const INTELS_DAEMON: &str = "aesm_service";

#[derive(Debug)]
pub(crate) struct ServiceSocket {
    pub(crate) path: PathBuf,
    pub(crate) path_state: PathState,
    /// The name of the listening process; `None` if it is not visible from here.
    holder: Option<String>,
    /// The number of attestation keys that the service reports.
    answer: Result<u32, ClientError>,
}

/// The kind of file at the socket's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathState {
    NoDirectory,
    /// A directory above it is closed to this user.
    Inaccessible,
    Missing,
    NotASocket,
    Socket,
}

impl ServiceSocket {
    pub(crate) fn gather(socket: PathBuf) -> Self {
        let client = Client::new(&socket).timeout(TIMEOUT);
        let answer = client.call(&Request::GetSupportedAttKeyIdNum).map(|payload| match payload {
            Payload::GetSupportedAttKeyIdNum { att_key_id_num } => att_key_id_num,
            // The client rejects replies to other requests.
            _ => 0,
        });
        Self { path_state: PathState::of(&socket), holder: holder(&socket), answer, path: socket }
    }

    /// True if the service can be asked for a quote.
    pub(crate) fn answers(&self) -> bool {
        self.answer.as_ref().is_ok_and(|keys| *keys > 0)
    }

    /// True if the listening process is visible, and so in this container.
    pub(crate) fn has_visible_holder(&self) -> bool {
        self.holder.is_some()
    }

    pub(crate) fn finding(&self) -> Finding {
        let (name, socket) = ("socket", self.path.display());
        match (self.path_state, self.holder.as_deref()) {
            (PathState::NoDirectory, _) => Finding::failed(
                name,
                format!("the directory of the socket {socket} is not here"),
                "start a service, `quote-helper serve`, which makes it; in a container, mount that \
                 directory of the host (the directory, not the socket)",
            ),
            (PathState::Inaccessible, _) => Finding::failed(
                name,
                format!("this user may not look for the socket {socket}"),
                format!("let others through that directory: chmod o+x {}", quoted(self.nearest())),
            ),
            (PathState::Missing, _) => Finding::failed(
                name,
                format!("there is no socket {socket}"),
                "start a service, `quote-helper serve`, or pass --socket with the path that it \
                 serves",
            ),
            (PathState::NotASocket, _) => Finding::failed(
                name,
                format!("{socket} is there and is no socket"),
                "remove it, and start a service, `quote-helper serve`; in a container, mount the \
                 directory of the socket, not the socket",
            ),
            (PathState::Socket, Some(INTELS_DAEMON)) => Finding::warning(
                name,
                format!("Intel's aesmd holds {socket}"),
                "nothing, if it should serve here; else `systemctl disable --now aesmd`, and start \
                 `quote-helper serve`",
            ),
            (PathState::Socket, Some(holder)) => {
                Finding::ok(name, format!("{socket}, of {holder}"))
            }
            (PathState::Socket, None) => Finding::ok(name, socket.to_string()),
        }
    }

    pub(crate) fn answer(&self) -> Finding {
        let name = "answer";
        if self.path_state != PathState::Socket {
            return Finding::skipped(name, "there is no socket to ask at", "see `socket`");
        }
        let error = match &self.answer {
            Ok(0) | Err(ClientError::Refused(AesmError::ServiceUnavailable)) => {
                return Finding::failed(
                    name,
                    "the service answers, but has no attestation key",
                    "see the log of the service; Intel's aesmd wants its packages \
                     libsgx-aesm-ecdsa-plugin and libsgx-aesm-quote-ex-plugin",
                );
            }
            Ok(keys) => {
                return Finding::ok(name, format!("the service answers; attestation keys: {keys}"));
            }
            Err(error) => error,
        };
        Finding::failed(name, error.to_string(), self.fix(error))
    }

    /// The nearest directory above the socket that is visible to this user.
    fn nearest(&self) -> &Path {
        let mut directories = self.path.ancestors().skip(1);
        directories.find(|directory| directory.exists()).unwrap_or(Path::new("/"))
    }

    fn fix(&self, error: &ClientError) -> String {
        match error {
            ClientError::Connect { source, .. } if source.kind() == ErrorKind::PermissionDenied => {
                return may_not_open(&self.path);
            }
            ClientError::Connect { .. } => {
                "the service that made the socket is gone: start one, `quote-helper serve`; in a \
                 container, mount the directory of the socket, not the socket, which is another \
                 one after each restart"
            }
            ClientError::Timeout { .. } | ClientError::Disconnected(_) => {
                "see which process holds the socket (ss -xlp) and its log; stop it, and start a \
                 service, `quote-helper serve`"
            }
            ClientError::Refused(_) => "see the log of the service",
            ClientError::Frame(_) | ClientError::Response(_) => {
                "the process that holds the socket (ss -xlp) speaks no AESM: stop it, and start a \
                 service, `quote-helper serve`"
            }
        }
        .to_owned()
    }
}

/// The fix that lets this user open the socket: its group, or the service's settings, since a
/// changed mode lasts only until the next start.
fn may_not_open(socket: &Path) -> String {
    let metadata = fs::metadata(socket);
    let group = metadata.ok().filter(|file| file.mode() & 0o060 == 0o060).map(|file| file.gid());
    match group {
        Some(group) => format!(
            "the socket is for the group {group} alone: let this user join it (usermod -aG; in a \
             container docker run --group-add {group}, in Kubernetes supplementalGroups), or start \
             the service without socket_group"
        ),
        None => format!(
            "let every user open the socket: chmod 0666 {}, and SocketMode=0666 in a socket unit \
             of systemd, which sets it at each start",
            quoted(socket)
        ),
    }
}

impl PathState {
    fn of(socket: &Path) -> Self {
        match (fs::metadata(socket), socket.parent()) {
            (Ok(file), _) if file.file_type().is_socket() => Self::Socket,
            (Ok(_), _) => Self::NotASocket,
            (Err(error), _) if error.kind() == ErrorKind::PermissionDenied => Self::Inaccessible,
            // The parent of a bare name is the empty path.
            (Err(_), Some(parent)) if parent != Path::new("") && !parent.exists() => {
                Self::NoDirectory
            }
            (Err(_), _) => Self::Missing,
        }
    }
}

/// The name of the process that listens at the socket; `None` if it has exited or is in another
/// container.
fn holder(socket: &Path) -> Option<String> {
    let runtime = Builder::new_current_thread().enable_all().build().ok()?;
    let connected = runtime
        .block_on(async { tokio::time::timeout(TIMEOUT, UnixStream::connect(socket)).await })
        .ok()?
        .ok()?;
    let pid = connected.peer_cred().ok()?.pid()?;
    Some(fs::read_to_string(format!("/proc/{pid}/comm")).ok()?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::finding::Status;

    fn service(
        path_state: PathState,
        holder: &str,
        answer: Result<u32, ClientError>,
    ) -> ServiceSocket {
        ServiceSocket {
            path: "/run/a/aesm.socket".into(),
            path_state,
            holder: Some(holder.into()),
            answer,
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
        ] {
            let service = service(path_state, "", Err(no_connection(ErrorKind::NotFound)));
            let (socket, answer) = (service.finding(), service.answer());
            assert_eq!((socket.status, answer.status), (Status::Failed, Status::Skipped));
            let fix = socket.fix.unwrap();
            assert!(fix.contains(text), "{fix}");
        }
    }

    #[test]
    fn path_states_are_distinguished() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name| directory.path().join(name);
        fs::write(path("file"), "").unwrap();
        let _listener = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
        for (name, path_state) in [
            ("nowhere/socket", PathState::NoDirectory),
            ("nothing", PathState::Missing),
            ("file", PathState::NotASocket),
            ("socket", PathState::Socket),
        ] {
            assert_eq!(PathState::of(&path(name)), path_state, "{name}");
        }
        assert_eq!(PathState::of(Path::new("nothing")), PathState::Missing);
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
}
