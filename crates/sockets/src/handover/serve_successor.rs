//! The control socket's server: sends the sockets to a successor.

use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixListener as StdUnixListener;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Mutex, MutexGuard, oneshot};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tracing::{debug, info, warn};

use super::channel::{Channel, HandoverError, MAX_DESCRIPTORS};
use super::message::Message;
use super::secret::Secret;
use crate::bound_socket::BoundSocket;

/// The number of connections at a time; further ones wait. Only one can lead to a hand-over.
const MAX_CONNECTIONS: usize = 64;
/// The time for each message of a peer until it has the sockets.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);
/// The time for a successor that has the sockets to serve.
const PREPARATION_TIMEOUT: Duration = Duration::from_secs(120);
/// The pause after a failed accept, for instance for lack of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The sockets that a successor gets.
#[derive(Debug)]
pub(super) struct OwnedSockets {
    listener: StdUnixListener,
    http: Vec<TcpListener>,
    /// The listener's file, until a successor owns it. Locked while a successor prepares.
    pub(super) file: Mutex<Option<BoundSocket>>,
    given: Counter,
}

/// Serves the control socket until a successor has the sockets and serves.
pub(super) async fn serve_successors(
    control: UnixListener,
    sockets: Arc<OwnedSockets>,
    secret: Secret,
    handed_over: oneshot::Sender<Channel>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = control.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    let sockets = Arc::clone(&sockets);
                    drop(connections.spawn(serve_successor(sockets, secret.clone(), stream)));
                }
                Err(error) => {
                    warn!(%error, "cannot accept on the control socket; retrying");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(ended) = connections.join_next() => if let Ok(Some(channel)) = ended {
                let _ = handed_over.send(channel);
                return;
            },
        }
    }
}

/// Serves one peer. Returns the channel to it if it is now the successor.
async fn serve_successor(
    sockets: Arc<OwnedSockets>,
    secret: Secret,
    stream: UnixStream,
) -> Option<Channel> {
    let channel = Channel::new(stream)
        .inspect_err(|error| debug!(%error, "a peer disconnected from the control socket"))
        .ok()?;
    let peer = channel.peer();
    let reason = match sockets.lock_for(&channel, &secret).await {
        Ok(file) => match sockets.send(&channel, file).await {
            Ok(()) => return Some(channel),
            Err(reason) => {
                warn!(%peer, %reason, "the new instance does not serve; this one continues");
                // It may have changed the backlog, or the process that the kernel names.
                name_this_process(&sockets.listener);
                reason
            }
        },
        Err(HandoverError::Closed) => {
            debug!(%peer, "a peer only connected to the control socket");
            return None;
        }
        Err(reason) => {
            warn!(%peer, %reason, "rejected a hand-over request");
            reason
        }
    };
    // The peer may be gone.
    let _ = channel.send(&Message::Refused(reason.to_string()), &[]).await;
    None
}

type LockedFile<'a> = MutexGuard<'a, Option<BoundSocket>>;

impl OwnedSockets {
    pub(super) fn new(
        listener: StdUnixListener,
        http: Vec<TcpListener>,
        file: BoundSocket,
        given: Counter,
    ) -> Self {
        Self { listener, http, file: Some(file).into(), given }
    }

    /// Duplicates of all descriptors that a successor gets.
    pub(super) fn descriptors(&self) -> io::Result<Vec<OwnedFd>> {
        self.borrowed().iter().map(BorrowedFd::try_clone_to_owned).collect()
    }

    /// True if a successor has the sockets and serves.
    pub(super) fn is_given(&self) -> bool {
        self.file.try_lock().is_ok_and(|file| file.is_none())
    }

    /// Locks the file for a peer that proves that it has the secret.
    async fn lock_for(
        &self,
        channel: &Channel,
        secret: &Secret,
    ) -> Result<LockedFile<'_>, HandoverError> {
        channel.check_request(secret, REQUEST_TIMEOUT).await?;
        let busy = |_| HandoverError::Refused("another instance is taking over".to_owned());
        self.file.try_lock().map_err(busy)
    }

    /// Sends the sockets, and waits until the successor serves.
    async fn send(&self, channel: &Channel, mut file: LockedFile<'_>) -> Result<(), HandoverError> {
        let gone = || HandoverError::Refused("its sockets were handed over already".to_owned());
        let message = Message::Sockets(file.as_ref().ok_or_else(gone)?.file().id());
        info!(
            successor = %channel.peer(),
            "sending the sockets to a new instance; this one serves until that one does"
        );
        channel.send(&message, &self.borrowed()).await?;
        match channel.receive(PREPARATION_TIMEOUT).await? {
            Message::Serving => {}
            _ => return Err(HandoverError::UnexpectedMessage),
        }
        channel.send(&Message::Ended, &[]).await?;
        file.take().into_iter().for_each(BoundSocket::leave);
        self.given.inc();
        Ok(())
    }

    fn borrowed(&self) -> Vec<BorrowedFd<'_>> {
        let http = self.http.iter().map(AsFd::as_fd);
        [self.listener.as_fd()].into_iter().chain(http).take(MAX_DESCRIPTORS).collect()
    }
}

/// Has the kernel name this process as the one that listens, rather than a former owner.
pub(super) fn name_this_process(listener: &StdUnixListener) {
    if let Err(error) = rustix::net::listen(listener, i32::MAX) {
        warn!(%error, "the kernel still reports another process as the listener");
    }
}
