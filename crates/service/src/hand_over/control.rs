//! A running instance waits for its successor, and gives it what it asks for.

use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixListener as StdUnixListener;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Mutex, MutexGuard, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tracing::{debug, info, warn};

use super::HandOvers;
use super::channel::{Channel, MAX_DESCRIPTORS, Trouble};
use super::message::{Files, Message};
use crate::bind::{BoundSocket, Place};
use crate::peer::Peer;

/// Conversations at a time; who comes then waits. Only one can lead to anything.
const CONVERSATIONS: usize = 64;
/// The time for a successor to say what it wants.
const QUESTION: Duration = Duration::from_secs(2);
/// The time for a successor, from when it has the sockets, to serve.
const PREPARATION: Duration = Duration::from_secs(120);
/// How long the end waits for a hand-over that is under way.
const LAST_MOMENT: Duration = Duration::from_secs(3);
/// How often it is looked whether the socket's file is there.
const LOOK: Duration = Duration::from_secs(1);
/// How often in a row it has to be found missing.
const LOOKS: u32 = 2;
/// The pause after a connection could not be accepted, for instance for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The sockets of a running instance, and whoever may ask for them.
#[derive(Debug)]
pub struct Control {
    place: Place,
    sockets: Arc<Sockets>,
    listening: JoinHandle<()>,
    handed_over: oneshot::Receiver<Peer>,
}

#[derive(Debug)]
struct Sockets {
    listener: StdUnixListener,
    control: StdUnixListener,
    http: Vec<TcpListener>,
    /// Nothing once somebody else has them. Locked while a successor prepares.
    files: Mutex<Option<[BoundSocket; 2]>>,
    hand_overs: HandOvers,
}

impl Control {
    /// Gives these sockets, once, to who asks for them over the control socket.
    pub(super) fn start(
        control: StdUnixListener,
        listener: StdUnixListener,
        http: Vec<TcpListener>,
        files: [BoundSocket; 2],
        hand_overs: HandOvers,
    ) -> Self {
        let [socket, _] = &files;
        let place = socket.place().clone();
        let sockets = Sockets { listener, control, http, files: Some(files).into(), hand_overs };
        let sockets = Arc::new(sockets);
        let (given, handed_over) = oneshot::channel();
        let listening = tokio::spawn(listen(Arc::clone(&sockets), given));
        Self { place, sockets, listening, handed_over }
    }

    /// Waits until a successor has the sockets and serves; says who it is.
    pub async fn handed_over(&mut self) -> Peer {
        match (&mut self.handed_over).await {
            Ok(peer) => peer,
            // Nobody can ask any more.
            Err(_) => std::future::pending().await,
        }
    }

    /// Waits until the socket's file is gone, or is another one, so that no client finds this instance any more.
    pub fn displaced(&self) -> impl Future<Output = ()> + use<> {
        let place = self.place.clone();
        async move {
            let mut looks = 0;
            while looks < LOOKS {
                sleep(LOOK).await;
                looks = if place.is_as_it_was() { 0 } else { looks.saturating_add(1) };
            }
        }
    }

    /// Removes the sockets' files, since this instance is to end. If a successor is about to have
    /// them it gets the moment that it needs; then it is said who it is, and the files stay.
    pub async fn close(mut self) -> Option<Peer> {
        let sockets = Arc::clone(&self.sockets);
        match timeout(LAST_MOMENT, sockets.files.lock()).await {
            Ok(files) if files.is_none() => {
                drop(files);
                return Some(self.handed_over().await);
            }
            Ok(mut files) => drop(files.take()),
            Err(_) => {
                self.listening.abort();
                // With it ends the conversation that holds them.
                let mut files = sockets.files.lock().await;
                drop(files.take());
            }
        }
        None
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// Talks to whoever comes, until somebody has the sockets.
async fn listen(sockets: Arc<Sockets>, given: oneshot::Sender<Peer>) {
    let control = match sockets.control.try_clone().and_then(non_blocking) {
        Ok(control) => control,
        Err(error) => return warn!(%error, "no successor can ask for the socket"),
    };
    let mut conversations = JoinSet::new();
    loop {
        tokio::select! {
            accepted = control.accept(), if conversations.len() < CONVERSATIONS => match accepted {
                Ok((stream, _)) => drop(conversations.spawn(talk(Arc::clone(&sockets), stream))),
                Err(error) => {
                    warn!(%error, "cannot hear a successor; trying again");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(ended) = conversations.join_next() => if let Ok(Some(peer)) = ended {
                let _ = given.send(peer);
                return;
            },
        }
    }
}

/// Talks to one of them, who is the successor if this ends with its name.
async fn talk(sockets: Arc<Sockets>, stream: UnixStream) -> Option<Peer> {
    let channel = match Channel::over(stream) {
        Ok(channel) => channel,
        Err(error) => {
            debug!(%error, "somebody left the control socket at once");
            return None;
        }
    };
    let peer = channel.peer();
    let files = match sockets.asked(&channel).await {
        Ok(files) => files,
        Err(Trouble::Closed) => {
            debug!(%peer, "somebody looked whether this instance is there");
            return None;
        }
        Err(reason) => {
            warn!(%peer, %reason, "somebody at the control socket gets nothing");
            // Who does not read it does not want to know it.
            let _ = channel.send(&Message::Refused(reason.to_string()), &[]).await;
            return None;
        }
    };
    match sockets.give(&channel, files).await {
        Ok(()) => Some(peer),
        Err(reason) => {
            warn!(%peer, %reason, "the new instance does not serve; this one goes on");
            let _ = channel.send(&Message::Refused(reason.to_string()), &[]).await;
            None
        }
    }
}

type LockedFiles<'a> = MutexGuard<'a, Option<[BoundSocket; 2]>>;

impl Sockets {
    /// Whether somebody may have the sockets and asks for them.
    async fn asked(&self, channel: &Channel) -> Result<LockedFiles<'_>, Trouble> {
        match channel.receive(QUESTION).await? {
            (Message::HandOver, descriptors) if descriptors.is_empty() => {}
            _ => return Err(Trouble::OutOfTurn),
        }
        // Only now, since who has not said all may miss the answer.
        channel.check_peer()?;
        let busy = |_| Trouble::Refused("another instance is taking over".to_owned());
        self.files.try_lock().map_err(busy)
    }

    /// Gives the sockets away, and goes on until the successor serves.
    async fn give(&self, channel: &Channel, mut files: LockedFiles<'_>) -> Result<(), Trouble> {
        let gone = || Trouble::Refused("its sockets are given up already".to_owned());
        let [socket, control] = files.as_ref().ok_or_else(gone)?;
        let message = Message::Sockets(Files([socket.file(), control.file()]));
        info!(successor = %channel.peer(), "a new instance gets the socket; this one goes on until it serves");
        channel.send(&message, &self.descriptors()).await?;
        match channel.receive(PREPARATION).await? {
            (Message::Serving, _) => {}
            _ => return Err(Trouble::OutOfTurn),
        }
        channel.send(&Message::Ended, &[]).await?;
        files.take().into_iter().flatten().for_each(BoundSocket::leave);
        self.hand_overs.of("given").inc();
        Ok(())
    }

    fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        let http = self.http.iter().map(AsFd::as_fd);
        let all = [self.listener.as_fd(), self.control.as_fd()].into_iter().chain(http);
        all.take(MAX_DESCRIPTORS).collect()
    }
}

fn non_blocking(listener: StdUnixListener) -> io::Result<UnixListener> {
    listener.set_nonblocking(true)?;
    UnixListener::from_std(listener)
}
