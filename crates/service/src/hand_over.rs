//! How a service comes to its sockets, and gives them to the next one, without a client noticing.
//!
//! Beside the socket for clients, and with the same name and `.control` behind it, an instance has a
//! socket for its successor. There a new instance asks for the sockets, and gets their descriptors. Both
//! accept clients then, until the new one has said that it serves; only then does the old one stop. So
//! a new one that fails on the way has taken nothing, and there is no moment without a service. The
//! files of both sockets stay the same all the time.
//!
//! ```text
//!   new                                old
//!    │  HandOver                        │ serves
//!    │ ───────────────────────────────► │
//!    │      Sockets, with descriptors   │
//!    │ ◄─────────────────────────────── │
//!    │ serves                           │
//!    │  Serving                         │
//!    │ ───────────────────────────────► │
//!    │                           Ended  │
//!    │ ◄─────────────────────────────── │ finishes what it has accepted
//! ```
//!
//! ```text
//! hand_over.rs           a starting instance: who is there, and what to do about it
//! hand_over/claim.rs     what it has got, until it serves
//! hand_over/control.rs   a running instance: waits for its successor
//! hand_over/lock.rs      one starts at a time
//! hand_over/channel.rs   messages and descriptors between the two, and who the other is
//! hand_over/message.rs   the bytes of a message
//! ```

mod channel;
mod claim;
mod control;
mod lock;
mod message;

use std::ffi::OsString;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use tokio::time::sleep;
use tracing::warn;

use crate::Metrics;
use crate::bind::{self, BindError, BoundSocket, Occupant};
use crate::socket_access::SocketAccess;
use channel::{Channel, Trouble};
use lock::StartLock;

pub use crate::peer::Peer;
pub use claim::{Claim, Withdrawn};
pub use control::Control;
pub use message::{FRAME_SIZE, Malformed, Message};

/// How often to look whether somebody is there.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What a starting instance has got.
#[derive(Debug)]
pub struct Acquired {
    /// Where clients connect.
    pub listener: UnixListener,
    /// Who had it before, and goes on until [`Claim::settle`].
    pub predecessor: Option<Peer>,
    /// The HTTP listeners of the predecessor, some of which this one may want, too.
    pub http: Vec<TcpListener>,
    /// What becomes of it all.
    pub claim: Claim,
}

/// Why there is no socket for a starting instance.
#[derive(Debug, thiserror::Error)]
pub enum AcquireError {
    /// The path cannot be used.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// Somebody is there who knows nothing of a hand-over.
    #[error(
        "another service is listening at {}: {holder}. Stop it first (an aesmd of the system, maybe?), \
         choose another path, or take its place with --take-over", .path.display()
    )]
    Occupied {
        /// The path of the socket.
        path: PathBuf,
        /// Who it is.
        holder: String,
    },
    /// An instance is there and keeps its sockets.
    #[error(
        "the instance that serves at {}, {holder}, does not hand over: {reason}. Stop it first, or take its \
         place with --take-over", .path.display()
    )]
    Refused {
        /// The path of the socket.
        path: PathBuf,
        /// Who it is.
        holder: String,
        /// Why it keeps them, in words.
        reason: String,
    },
    /// Another instance is about to start.
    #[error(
        "another instance is starting and does not come to an end: it holds {}. Stop it first, or go on \
         all the same with --take-over", .0.display()
    )]
    Locked(PathBuf),
}

/// Hand-overs of which this instance was a part.
#[derive(Debug, Clone, Default)]
pub(crate) struct HandOvers(Family<Direction, Counter>);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Direction {
    direction: &'static str,
}

/// Gets the sockets for a service at `path`: from the instance that serves there, or new ones if nobody
/// does. Clients are those who have `access`. Who is there and keeps the sockets stays, unless
/// `take_over` says that their place is to be taken. Has to be called within a runtime.
///
/// # Errors
/// [`AcquireError`]; then nothing has changed for whoever is there.
pub async fn acquire(
    path: &Path,
    access: SocketAccess,
    take_over: bool,
) -> Result<Acquired, AcquireError> {
    let control = beside(path, ".control");
    bind::prepare(&control)?;
    let lock = match StartLock::take(beside(path, ".lock")).await {
        Err(AcquireError::Locked(lock)) if take_over => {
            warn!(lock = %lock.display(), "going on although another instance is starting");
            None
        }
        lock => Some(lock?),
    };
    match ask_for(path, access, &control).await {
        Ok(Some(asked)) => return Ok(asked.with_lock(lock)),
        Ok(None) => {}
        Err(refused) if take_over => warn!(%refused, "taking the place of the running instance"),
        Err(refused) => return Err(refused),
    }
    if let Occupant::Somebody(stream) = Occupant::of(path)? {
        let holder = stream.and_then(|stream| Peer::of(stream).ok());
        let holder = holder.map_or_else(|| "a busy process".to_owned(), |peer| peer.to_string());
        if !take_over {
            return Err(AcquireError::Occupied { path: path.to_owned(), holder });
        }
        warn!(socket = %path.display(), holder, "taking the place of another service");
    }
    let (bound, listener) = BoundSocket::replace(path, access)?;
    let (bound_control, control) = BoundSocket::replace(&control, SocketAccess::Owner)?;
    let claim = Claim::bound([bound, bound_control], control).with_lock(lock);
    Ok(Acquired { listener, predecessor: None, http: Vec::new(), claim })
}

/// Waits until no instance is at `path` any more: whoever had it has ended, and nobody has come after.
pub async fn abandoned(path: &Path) {
    let control = beside(path, ".control");
    while !matches!(Occupant::of(&control), Ok(Occupant::Nobody)) {
        sleep(LOOK_AGAIN).await;
    }
}

impl Acquired {
    fn with_lock(self, lock: Option<StartLock>) -> Self {
        Self { claim: self.claim.with_lock(lock), ..self }
    }
}

/// Asks the instance at the control socket, if there is one, for its sockets.
async fn ask_for(
    path: &Path,
    access: SocketAccess,
    control: &Path,
) -> Result<Option<Acquired>, AcquireError> {
    let Occupant::Somebody(stream) = Occupant::of(control)? else { return Ok(None) };
    let refused = |holder: String, trouble: Trouble| AcquireError::Refused {
        path: path.to_owned(),
        holder,
        reason: trouble.to_string(),
    };
    let busy = || refused("a busy process".to_owned(), Trouble::Busy);
    let channel = Channel::new(stream.ok_or_else(busy)?)
        .map_err(|error| refused("an unknown process".to_owned(), error.into()))?;
    let holder = channel.peer().to_string();
    match claim::ask(channel, [path, control], access).await {
        Ok(asked) => Ok(Some(asked)),
        // What it has is not what clients see; whoever has the path now is asked next.
        Err(Trouble::Displaced) => {
            warn!(holder, "an instance runs whose socket somebody has replaced; it can be stopped");
            Ok(None)
        }
        // It ended at this moment.
        Err(Trouble::Closed) if matches!(Occupant::of(control)?, Occupant::Nobody) => Ok(None),
        Err(trouble) => Err(refused(holder, trouble)),
    }
}

impl HandOvers {
    /// Counters at zero, which are shown among these metrics.
    fn register(metrics: &Metrics) -> Self {
        let hand_overs = Self::default();
        let help = "Times that the sockets came from a predecessor, or went to a successor";
        metrics.register(|registry| registry.register("hand_overs", help, hand_overs.0.clone()));
        hand_overs.of("taken");
        hand_overs.of("given");
        hand_overs
    }

    fn of(&self, direction: &'static str) -> Counter {
        self.0.get_or_create(&Direction { direction }).clone()
    }
}

/// The path with this behind it.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}
