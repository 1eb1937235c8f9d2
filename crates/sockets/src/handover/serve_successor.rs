//! A running instance talks to whoever comes to its control socket, and gives its sockets to a
//! successor.

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

use super::channel::{Channel, MAX_DESCRIPTORS, Trouble};
use super::message::Message;
use super::secret::Secret;
use crate::bound_socket::BoundSocket;

/// Conversations at a time; who comes then waits. Only one can lead to anything.
const CONVERSATIONS: usize = 64;
/// The time for each word of a successor until it has the sockets.
const QUESTION: Duration = Duration::from_secs(2);
/// The time for a successor, from when it has the sockets, to serve.
const PREPARATION: Duration = Duration::from_secs(120);
/// The pause after a connection could not be accepted, for instance for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The sockets that a successor gets.
#[derive(Debug)]
pub(super) struct Sockets {
    listener: StdUnixListener,
    http: Vec<TcpListener>,
    /// The file of the listener; nothing once somebody else has it. Locked while a successor prepares.
    pub(super) file: Mutex<Option<BoundSocket>>,
    given: Counter,
}

/// Talks to whoever comes, until somebody has the sockets.
pub(super) async fn listen(
    control: UnixListener,
    sockets: Arc<Sockets>,
    secret: Secret,
    given: oneshot::Sender<Channel>,
) {
    let mut conversations = JoinSet::new();
    loop {
        tokio::select! {
            accepted = control.accept(), if conversations.len() < CONVERSATIONS => match accepted {
                Ok((stream, _)) => {
                    drop(conversations.spawn(talk(Arc::clone(&sockets), secret.clone(), stream)));
                }
                Err(error) => {
                    warn!(%error, "cannot accept on the control socket; trying again");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(ended) = conversations.join_next() => if let Ok(Some(channel)) = ended {
                let _ = given.send(channel);
                return;
            },
        }
    }
}

/// Talks to one of them, who is the successor if this ends with the channel to it.
async fn talk(sockets: Arc<Sockets>, secret: Secret, stream: UnixStream) -> Option<Channel> {
    let channel = match Channel::over(stream) {
        Ok(channel) => channel,
        Err(error) => {
            debug!(%error, "somebody left the control socket at once");
            return None;
        }
    };
    let peer = channel.peer();
    let file = match sockets.asked(&channel, &secret).await {
        Ok(file) => file,
        Err(Trouble::Closed) => {
            debug!(%peer, "somebody looked whether this instance is there");
            return None;
        }
        Err(reason) => {
            warn!(%peer, %reason, "rejected a request for the sockets");
            // Who does not read it does not want to know it.
            let _ = channel.send(&Message::Refused(reason.to_string()), &[]).await;
            return None;
        }
    };
    match sockets.give(&channel, file).await {
        Ok(()) => Some(channel),
        Err(reason) => {
            warn!(%peer, %reason, "the new instance does not serve; this one goes on");
            // It may have changed the length of the queue, or who is named as the one that listens.
            show_this_process(&sockets.listener);
            let _ = channel.send(&Message::Refused(reason.to_string()), &[]).await;
            None
        }
    }
}

type LockedFile<'a> = MutexGuard<'a, Option<BoundSocket>>;

impl Sockets {
    pub(super) fn new(
        listener: StdUnixListener,
        http: Vec<TcpListener>,
        file: BoundSocket,
        given: Counter,
    ) -> Self {
        Self { listener, http, file: Some(file).into(), given }
    }

    /// Descriptors of all that a successor gets.
    pub(super) fn descriptors(&self) -> io::Result<Vec<OwnedFd>> {
        self.borrowed().iter().map(BorrowedFd::try_clone_to_owned).collect()
    }

    /// Whether a successor has them, and serves.
    pub(super) fn is_given(&self) -> bool {
        self.file.try_lock().is_ok_and(|file| file.is_none())
    }

    /// Whether somebody may have the sockets and asks for them.
    async fn asked(&self, channel: &Channel, secret: &Secret) -> Result<LockedFile<'_>, Trouble> {
        channel.hear_request(secret, QUESTION).await?;
        let busy = |_| Trouble::Refused("another instance is taking over".to_owned());
        self.file.try_lock().map_err(busy)
    }

    /// Gives the sockets away, and goes on until the successor serves.
    async fn give(&self, channel: &Channel, mut file: LockedFile<'_>) -> Result<(), Trouble> {
        let gone = || Trouble::Refused("its sockets are given up already".to_owned());
        let message = Message::Sockets(file.as_ref().ok_or_else(gone)?.file());
        info!(successor = %channel.peer(), "a new instance gets the socket; this one goes on until it serves");
        channel.send(&message, &self.borrowed()).await?;
        match channel.receive(PREPARATION).await? {
            Message::Serving => {}
            _ => return Err(Trouble::OutOfTurn),
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

/// Lets those who ask the kernel who listens see this process, and not another one that had the socket.
pub(super) fn show_this_process(listener: &StdUnixListener) {
    if let Err(error) = rustix::net::listen(listener, i32::MAX) {
        warn!(%error, "the kernel goes on to name another process as who listens");
    }
}
