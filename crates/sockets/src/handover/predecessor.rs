//! A running instance, which may have a successor, or lose its socket.

use std::future::pending;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tracing::warn;

use super::channel::Channel;
use super::guard::{self, OutOfUse};
use super::private_files::PrivateFiles;
use super::serve_successor::{Sockets, listen};
use crate::access::SocketAccess;
use crate::bound_socket::{BindError, BoundSocket, Occupant, Place};
use crate::peer::Peer;

/// How long the end waits for a hand-over that is under way.
const LAST_MOMENT: Duration = Duration::from_secs(3);
/// How long a successor may take to have its own control socket.
const ARRIVAL: Duration = Duration::from_secs(30);
/// How often it is looked whether the socket's file is there.
const LOOK: Duration = Duration::from_secs(1);
/// How often in a row it has to be found missing.
const LOOKS: u32 = 2;

/// The sockets of a running instance, and whoever may ask for them.
#[derive(Debug)]
pub struct Control {
    place: Place,
    sockets: Arc<Sockets>,
    control: PathBuf,
    door: Option<Door>,
    handed_over: oneshot::Receiver<Channel>,
    out_of_use: Option<oneshot::Receiver<OutOfUse>>,
}

/// The instance that has taken over, and serves.
#[derive(Debug)]
pub struct Successor {
    /// Its process.
    pub peer: Peer,
    channel: Channel,
    control: PathBuf,
}

/// The control socket, at which a successor asks.
#[derive(Debug)]
struct Door {
    socket: BoundSocket,
    listening: JoinHandle<()>,
}

/// Why no client finds an instance any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// The socket's file is gone, or is another one.
    Displaced,
    /// Another process that has the socket has shut it down, or keeps making it block.
    OutOfUse,
}

impl Successor {
    /// Waits until it has ended, and no other instance has come after it.
    pub async fn gone(&self) {
        // It is closed as soon as the successor has a control socket of its own.
        let _ = self.channel.receive(ARRIVAL).await;
        while !matches!(Occupant::of(&self.control), Ok(Occupant::Nobody)) {
            sleep(LOOK).await;
        }
    }
}

impl Control {
    /// Gives these sockets, once, to who proves at the control socket that it may have them.
    pub(super) fn start(files: PrivateFiles, place: Place, sockets: Sockets) -> Self {
        let sockets = Arc::new(sockets);
        let (given, handed_over) = oneshot::channel();
        let door = open_door(&files)
            .map(|(socket, control)| {
                let listening = listen(control, Arc::clone(&sockets), files.secret, given);
                Door { socket, listening: tokio::spawn(listening) }
            })
            .inspect_err(|error| warn!(%error, "no successor can take over from this instance"));
        let out_of_use = sockets
            .descriptors()
            .and_then(guard::start)
            .inspect_err(|error| warn!(%error, "cannot guard the listening sockets"));
        let control = files.control;
        Self { place, sockets, control, door: door.ok(), handed_over, out_of_use: out_of_use.ok() }
    }

    /// Waits until a successor has the sockets and serves.
    pub async fn handed_over(&mut self) -> Successor {
        match (&mut self.handed_over).await {
            Ok(channel) => {
                Successor { peer: channel.peer(), channel, control: self.control.clone() }
            }
            // Nobody can ask any more.
            Err(_) => pending().await,
        }
    }

    /// Waits until no client finds this instance any more.
    pub fn lost(&mut self) -> impl Future<Output = Loss> + use<> {
        let (place, taken) = (self.place.clone(), self.out_of_use.take());
        async move {
            tokio::select! {
                () = displaced(&place) => Loss::Displaced,
                () = out_of_use(taken) => Loss::OutOfUse,
            }
        }
    }

    /// Removes the sockets' files, since this instance is to end. If a successor is about to have
    /// them it gets the moment that it needs; then it is given back, and the files stay.
    pub async fn close(mut self) -> Option<Successor> {
        let sockets = Arc::clone(&self.sockets);
        match timeout(LAST_MOMENT, sockets.file.lock()).await {
            Ok(file) if file.is_none() => {
                drop(file);
                return Some(self.handed_over().await);
            }
            Ok(mut file) => drop(file.take()),
            Err(_) => {
                // With it ends the conversation that holds the file.
                self.shut_door();
                drop(sockets.file.lock().await.take());
            }
        }
        self.shut_door();
        None
    }

    fn shut_door(&mut self) {
        if let Some(Door { listening, socket }) = self.door.take() {
            listening.abort();
            drop(socket);
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // A successor that serves is about to replace the file: to look whether it has, and to remove
        // it, would be two steps.
        if self.sockets.is_given()
            && let Some(Door { socket, listening }) = self.door.take()
        {
            listening.abort();
            socket.leave();
        }
        self.shut_door();
    }
}

fn open_door(files: &PrivateFiles) -> Result<(BoundSocket, UnixListener), BindError> {
    let failed = |source| BindError::Io { path: files.control.clone(), source };
    let (socket, control) = BoundSocket::replace(&files.control, SocketAccess::Owner)?;
    control.set_nonblocking(true).map_err(failed)?;
    Ok((socket, UnixListener::from_std(control).map_err(failed)?))
}

async fn displaced(place: &Place) {
    let mut looks = 0;
    while looks < LOOKS {
        sleep(LOOK).await;
        looks = if place.is_as_it_was() { 0 } else { looks.saturating_add(1) };
    }
}

async fn out_of_use(told: Option<oneshot::Receiver<OutOfUse>>) {
    let is_told = match told {
        Some(told) => told.await.is_ok(),
        None => false,
    };
    if !is_told {
        // Nobody looks any more.
        pending::<()>().await;
    }
}
