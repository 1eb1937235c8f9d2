//! The socket of the quote service, its listening process, and the service's answer.

mod path_state;
mod permission;
mod place;
mod units;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aesm::{Client, ClientError, Payload, Request};
use private_directory::quoted;
use sgx::AesmError;
use tokio::net::UnixStream;
use tokio::runtime::Builder;

pub(crate) use self::path_state::PathState;
pub(crate) use self::place::{CHECK_CLUSTER, Place, restarts};
pub(crate) use self::units::Units;
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
    place: Place,
}

impl ServiceSocket {
    pub(crate) fn gather(socket: PathBuf, place: Place) -> Self {
        let client = Client::new(&socket).timeout(TIMEOUT);
        let answer = client.call(&Request::GetSupportedAttKeyIdNum).map(|payload| match payload {
            Payload::GetSupportedAttKeyIdNum { att_key_id_num } => att_key_id_num,
            // The client rejects replies to other requests.
            _ => 0,
        });
        let (path_state, holder) = (PathState::of(&socket), holder(&socket));
        Self { path_state, holder, answer, path: socket, place }
    }

    /// True if the service can be asked for a quote.
    pub(crate) fn answers(&self) -> bool {
        self.answer.as_ref().is_ok_and(|keys| *keys > 0)
    }

    /// True if the listening process is visible, and so in this container.
    pub(crate) fn has_visible_holder(&self) -> bool {
        self.holder.is_some()
    }

    /// True in the container of the add-on's quote service.
    pub(crate) fn is_in_service_container(&self) -> bool {
        self.place == Place::ServiceContainer
    }

    /// True if nobody listens at the socket, which a service has left behind.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(
            &self.answer,
            Err(ClientError::Connect { source, .. }) if source.kind() == ErrorKind::ConnectionRefused
        )
    }

    pub(crate) fn finding(&self) -> Finding {
        let (name, socket) = ("socket", self.path.display());
        if let (PathState::NoDirectory | PathState::Missing, Place::Machine(Some(units))) =
            (self.path_state, &self.place)
        {
            let (state, fix) = units.without_listener();
            return Finding::failed(name, format!("there is no socket {socket}: {state}"), fix);
        }
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
            (PathState::Directory, _) => Finding::failed(
                name,
                format!("{socket} is a directory"),
                format!(
                    "a container engine makes it when it mounts a socket file that is not there: on \
                     the host `sudo rmdir {socket}` and start the service; in a container, mount \
                     the directory of the socket, not the socket"
                ),
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
                    format!(
                        "see {}; Intel's aesmd wants its packages libsgx-aesm-ecdsa-plugin and \
                         libsgx-aesm-quote-ex-plugin",
                        self.place.log()
                    ),
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
                permission::fix(&self.path)
            }
            ClientError::Connect { .. } => self.place.without_listener(),
            ClientError::Timeout { .. } | ClientError::Disconnected(_) => {
                self.place.without_answer()
            }
            ClientError::Refused(_) => format!("see {}", self.place.log()),
            ClientError::Frame(_) | ClientError::Response(_) => {
                "the process that holds the socket (ss -xlp) speaks no AESM: stop it, and start a \
                 service, `quote-helper serve`"
                    .to_owned()
            }
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
mod tests;
