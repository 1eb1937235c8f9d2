//! A starting instance: receives the sockets of the running one, and has it stop.

use std::io;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Duration;

use rustix::net::sockopt::{socket_acceptconn, socket_domain, socket_type};
use rustix::net::{AddressFamily, SocketType};
use tracing::{info, warn};

use super::channel::{Channel, HandoverError};
use super::message::Message;
use super::private_files::PrivateFiles;
use super::serve_successor::name_this_process;
use crate::access::SocketAccess;
use crate::bound_socket::{BoundSocket, ExistingListener};
use crate::peer::Peer;
use crate::socket_file::SocketFile;

/// The time for the running instance to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// The sockets that a running instance has sent.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) listener: UnixListener,
    pub(crate) http: Vec<TcpListener>,
    pub(crate) takeover: Takeover,
}

/// A pending hand-over. The predecessor continues to serve if this is dropped.
#[derive(Debug)]
pub struct Takeover {
    channel: Channel,
    file: SocketFile,
    access: SocketAccess,
}

/// The running instance did not send its sockets.
#[derive(Debug)]
pub(crate) struct RequestRefused {
    pub(crate) holder: String,
    pub(crate) reason: HandoverError,
}

/// The predecessor continues to serve, so the new instance must stop.
#[derive(Debug, thiserror::Error)]
#[error("{predecessor} refuses to stop after sending its sockets: {reason}")]
pub struct TakeoverRefused {
    predecessor: String,
    reason: String,
}

/// Asks the instance at the control socket for the socket at `path`. `None` if no instance is
/// there, or clients no longer find it.
pub(crate) async fn request_sockets(
    holder: ExistingListener,
    path: &Path,
    access: SocketAccess,
    files: &PrivateFiles,
) -> Result<Option<Received>, RequestRefused> {
    let refused = |holder: &str, reason| RequestRefused { holder: holder.to_owned(), reason };
    let channel = match holder {
        ExistingListener::None => return Ok(None),
        ExistingListener::Busy => return Err(refused("a busy process", HandoverError::Busy)),
        ExistingListener::Connected(stream) => Channel::from_std(stream)
            .map_err(|error| refused("an unknown process", error.into()))?,
    };
    let holder = channel.peer().to_string();
    match receive_sockets(channel, path, access, files).await {
        Ok(received) => Ok(Some(received)),
        Err(HandoverError::SocketReplaced) => {
            warn!(holder, "an instance runs whose socket was replaced; it can be stopped");
            Ok(None)
        }
        // It ended at this moment.
        Err(HandoverError::Closed)
            if ExistingListener::at(&files.control).is_ok_and(|holder| holder.is_none()) =>
        {
            Ok(None)
        }
        Err(reason) => Err(RequestRefused { holder, reason }),
    }
}

async fn receive_sockets(
    channel: Channel,
    path: &Path,
    access: SocketAccess,
    files: &PrivateFiles,
) -> Result<Received, HandoverError> {
    channel.ask_for_sockets(&files.secret, ANSWER_TIMEOUT).await?;
    let (file, mut descriptors) = match channel.receive_with_descriptors(ANSWER_TIMEOUT).await? {
        (Message::Sockets(file), descriptors) => (file, descriptors.into_iter()),
        (Message::Refused(reason), _) => return Err(HandoverError::Refused(reason)),
        _ => return Err(HandoverError::UnexpectedMessage),
    };
    let listener = descriptors.next().ok_or(HandoverError::UnexpectedMessage)?;
    let listener = checked(listener, &[AddressFamily::UNIX])?;
    let http = descriptors
        .map(|listener| checked(listener, &[AddressFamily::INET, AddressFamily::INET6]))
        .collect::<Result<_, _>>()?;
    let there = SocketFile::open(path).ok().filter(|there| there.id() == file);
    let file = there.ok_or(HandoverError::SocketReplaced)?;
    info!(predecessor = %channel.peer(), "taking over from the running instance");
    Ok(Received { listener, http, takeover: Takeover { channel, file, access } })
}

impl Takeover {
    pub(crate) fn predecessor(&self) -> Peer {
        self.channel.peer()
    }

    /// Has the predecessor stop. The connection to it is to be closed when the control socket is
    /// this instance's own.
    pub(crate) async fn complete(
        self,
        listener: &UnixListener,
    ) -> Result<(BoundSocket, Channel), TakeoverRefused> {
        let Self { channel, file, access } = self;
        stop(&channel).await?;
        if let Err(error) = access.apply(&file.path) {
            warn!(%error, "cannot change the users who may connect");
        }
        name_this_process(listener);
        Ok((BoundSocket::adopt(file), channel))
    }
}

/// Has the predecessor stop. The sockets are taken over even if it has died or hangs.
async fn stop(predecessor: &Channel) -> Result<(), TakeoverRefused> {
    let answer = async {
        predecessor.send(&Message::Serving, &[]).await?;
        predecessor.receive(ANSWER_TIMEOUT).await
    };
    let name = predecessor.peer();
    match answer.await {
        Ok(Message::Refused(reason)) => {
            return Err(TakeoverRefused { predecessor: name.to_string(), reason });
        }
        Ok(Message::Ended) => info!(predecessor = %name, "the predecessor has handed over"),
        other => {
            let reason = other.err().unwrap_or(HandoverError::UnexpectedMessage);
            warn!(predecessor = %name, %reason, "the predecessor does not confirm the hand-over");
        }
    }
    Ok(())
}

/// Checks that a descriptor is a listening stream socket of one of these families.
fn checked<Listener: From<OwnedFd>>(
    socket: OwnedFd,
    families: &[AddressFamily],
) -> Result<Listener, HandoverError> {
    let is_stream = socket_type(&socket).map_err(io::Error::from)? == SocketType::STREAM;
    let is_listening = socket_acceptconn(&socket).map_err(io::Error::from)?;
    let family = socket_domain(&socket).map_err(io::Error::from)?;
    match is_stream && is_listening && families.contains(&family) {
        true => Ok(socket.into()),
        false => Err(HandoverError::UnexpectedMessage),
    }
}
