//! What a starting instance has got, until it serves.

use std::io;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Duration;

use rustix::net::sockopt::{socket_acceptconn, socket_domain, socket_type};
use rustix::net::{AddressFamily, SocketType};
use tracing::{info, warn};

use super::channel::{Channel, Trouble};
use super::control::Control;
use super::lock::StartLock;
use super::message::{Files, Message};
use super::{Acquired, HandOvers};
use crate::Metrics;
use crate::bind::{BoundSocket, Place};
use crate::socket_access::SocketAccess;

/// The time for a running instance to answer.
const ANSWER: Duration = Duration::from_secs(5);

/// The sockets of a starting instance. Dropped, it leaves everything to its predecessor.
#[derive(Debug)]
pub struct Claim {
    control: UnixListener,
    origin: Origin,
    lock: Option<StartLock>,
}

#[derive(Debug)]
enum Origin {
    /// The files are new.
    Bound([BoundSocket; 2]),
    /// The files are those of a predecessor, which goes on until it is told.
    Predecessor { channel: Channel, places: [Place; 2], access: SocketAccess },
}

/// The predecessor goes on, so that the new instance must not.
#[derive(Debug, thiserror::Error)]
#[error("{predecessor} had promised its sockets, and goes on serving: {reason}")]
pub struct Withdrawn {
    predecessor: String,
    reason: String,
}

impl Claim {
    pub(super) fn bound(files: [BoundSocket; 2], control: UnixListener) -> Self {
        Self { control, origin: Origin::Bound(files), lock: None }
    }

    pub(super) fn with_lock(self, lock: Option<StartLock>) -> Self {
        Self { lock, ..self }
    }

    /// To be called when clients are served: the predecessor, if there is one, stops. From then on this
    /// instance gives these sockets to its successor.
    ///
    /// # Errors
    /// [`Withdrawn`] if the predecessor goes on.
    pub async fn settle(
        self,
        listener: UnixListener,
        http: Vec<TcpListener>,
        metrics: &Metrics,
    ) -> Result<Control, Withdrawn> {
        let hand_overs = HandOvers::register(metrics);
        let files = match self.origin {
            Origin::Bound(files) => files,
            Origin::Predecessor { channel, places, access } => {
                end(&channel).await?;
                hand_overs.of("taken").inc();
                let [socket, _] = &places;
                if let Err(error) = access.apply(&socket.path) {
                    warn!(%error, "those may connect who could before");
                }
                show_this_process(&listener);
                show_this_process(&self.control);
                places.map(BoundSocket::adopt)
            }
        };
        drop(self.lock);
        Ok(Control::start(self.control, listener, http, files, hand_overs))
    }
}

/// Asks the instance at the other end for the sockets with these files.
pub(super) async fn ask(
    channel: Channel,
    paths: [&Path; 2],
    access: SocketAccess,
) -> Result<Acquired, Trouble> {
    channel.check_peer()?;
    channel.send(&Message::HandOver, &[]).await?;
    let (files, mut descriptors) = match channel.receive(ANSWER).await? {
        (Message::Sockets(Files(files)), descriptors) => (files, descriptors.into_iter()),
        (Message::Refused(reason), _) => return Err(Trouble::Refused(reason)),
        _ => return Err(Trouble::OutOfTurn),
    };
    let [Some(listener), Some(control)] = [descriptors.next(), descriptors.next()] else {
        return Err(Trouble::OutOfTurn);
    };
    let [listener, control] = [unix_listener(listener)?, unix_listener(control)?];
    let http = descriptors.map(tcp_listener).collect::<Result<_, _>>()?;
    let [path, control_path] = paths.map(Path::to_owned);
    let [file, control_file] = files;
    let places = [Place { path, file }, Place { path: control_path, file: control_file }];
    if !places.iter().all(Place::is_as_it_was) {
        return Err(Trouble::Displaced);
    }
    info!(predecessor = %channel.peer(), "taking over from the running instance");
    let predecessor = Some(channel.peer());
    let origin = Origin::Predecessor { channel, places, access };
    let claim = Claim { control, origin, lock: None };
    Ok(Acquired { listener, predecessor, http, claim })
}

/// Has the predecessor stop. If it has died meanwhile, or hangs, its sockets are here all the same.
async fn end(predecessor: &Channel) -> Result<(), Withdrawn> {
    let ended = async {
        predecessor.send(&Message::Serving, &[]).await?;
        predecessor.receive(ANSWER).await
    };
    let name = predecessor.peer();
    match ended.await {
        Ok((Message::Ended, _)) => info!(predecessor = %name, "the predecessor has handed over"),
        Ok((Message::Refused(reason), _)) => {
            return Err(Withdrawn { predecessor: name.to_string(), reason });
        }
        Ok(_) => warn!(predecessor = %name, "the predecessor does not say that it has handed over"),
        Err(reason) => {
            warn!(predecessor = %name, %reason, "the predecessor does not say that it has handed over");
        }
    }
    Ok(())
}

/// Lets those who ask the kernel who listens see this process, and not its predecessor.
fn show_this_process(listener: &UnixListener) {
    if let Err(error) = rustix::net::listen(listener, i32::MAX) {
        warn!(%error, "the kernel goes on to name the predecessor as who listens");
    }
}

fn unix_listener(descriptor: OwnedFd) -> Result<UnixListener, Trouble> {
    check(&descriptor, &[AddressFamily::UNIX])?;
    Ok(descriptor.into())
}

fn tcp_listener(descriptor: OwnedFd) -> Result<TcpListener, Trouble> {
    check(&descriptor, &[AddressFamily::INET, AddressFamily::INET6])?;
    Ok(descriptor.into())
}

/// Whether it is a socket that accepts connections, of one of these families.
fn check(socket: &OwnedFd, families: &[AddressFamily]) -> Result<(), Trouble> {
    let is_stream = socket_type(socket).map_err(io::Error::from)? == SocketType::STREAM;
    let is_listening = socket_acceptconn(socket).map_err(io::Error::from)?;
    let family = socket_domain(socket).map_err(io::Error::from)?;
    (is_stream && is_listening && families.contains(&family))
        .then_some(())
        .ok_or(Trouble::OutOfTurn)
}
