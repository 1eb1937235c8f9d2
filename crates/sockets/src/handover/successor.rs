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

use super::Acquired;
use super::channel::{Channel, Trouble};
use super::handover_counters::HandoverCounters;
use super::message::Message;
use super::predecessor::Control;
use super::private_files::PrivateFiles;
use super::serve_successor::{Sockets, show_this_process};
use super::start_lock::StartLock;
use crate::access::SocketAccess;
use crate::bound_socket::{BoundSocket, Place};

/// The time for a running instance to answer.
const ANSWER: Duration = Duration::from_secs(5);

/// The sockets of a starting instance. Dropped, it leaves everything to its predecessor.
#[derive(Debug)]
pub struct Claim {
    origin: Origin,
    files: PrivateFiles,
    lock: Option<StartLock>,
}

#[derive(Debug)]
enum Origin {
    /// The socket is new.
    Bound(BoundSocket),
    /// The socket is that of a predecessor, which goes on until it is told.
    Predecessor { channel: Channel, place: Place, access: SocketAccess },
}

/// The predecessor goes on, so that the new instance must not.
#[derive(Debug, thiserror::Error)]
#[error("{predecessor} had promised its sockets, and goes on serving: {reason}")]
pub struct Withdrawn {
    predecessor: String,
    reason: String,
}

impl Claim {
    pub(super) fn bound(socket: BoundSocket, files: PrivateFiles) -> Self {
        Self { origin: Origin::Bound(socket), files, lock: None }
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
        counters: &HandoverCounters,
    ) -> Result<Control, Withdrawn> {
        let (socket, predecessor) = match self.origin {
            Origin::Bound(socket) => (socket, None),
            Origin::Predecessor { channel, place, access } => {
                end(&channel).await?;
                counters.taken().inc();
                if let Err(error) = access.apply(&place.path) {
                    warn!(%error, "those may connect who could before");
                }
                show_this_process(&listener);
                (BoundSocket::adopt(place), Some(channel))
            }
        };
        let place = socket.place().clone();
        let sockets = Sockets::new(listener, http, socket, counters.given());
        let control = Control::start(self.files, place, sockets);
        // From now on the predecessor may look for this instance at the control socket.
        drop(predecessor);
        drop(self.lock);
        Ok(control)
    }
}

/// Asks the instance at the other end for the socket at this path.
pub(super) async fn ask(
    channel: Channel,
    path: &Path,
    access: SocketAccess,
    files: PrivateFiles,
) -> Result<Acquired, Trouble> {
    channel.ask_for_sockets(&files.secret, ANSWER).await?;
    let (file, mut descriptors) = match channel.receive_with_descriptors(ANSWER).await? {
        (Message::Sockets(file), descriptors) => (file, descriptors.into_iter()),
        (Message::Refused(reason), _) => return Err(Trouble::Refused(reason)),
        _ => return Err(Trouble::OutOfTurn),
    };
    let listener = unix_listener(descriptors.next().ok_or(Trouble::OutOfTurn)?)?;
    let http = descriptors.map(tcp_listener).collect::<Result<_, _>>()?;
    let place = Place { path: path.to_owned(), file };
    if !place.is_as_it_was() {
        return Err(Trouble::Displaced);
    }
    info!(predecessor = %channel.peer(), "taking over from the running instance");
    let predecessor = Some(channel.peer());
    let origin = Origin::Predecessor { channel, place, access };
    let claim = Claim { origin, files, lock: None };
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
        Ok(Message::Ended) => info!(predecessor = %name, "the predecessor has handed over"),
        Ok(Message::Refused(reason)) => {
            return Err(Withdrawn { predecessor: name.to_string(), reason });
        }
        Ok(_) => warn!(predecessor = %name, "the predecessor does not say that it has handed over"),
        Err(reason) => {
            warn!(predecessor = %name, %reason, "the predecessor does not say that it has handed over");
        }
    }
    Ok(())
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
