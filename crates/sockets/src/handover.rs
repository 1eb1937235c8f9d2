//! How a service comes to its sockets, and gives them to the next one, without a client noticing.
//!
//! In the private state directory an instance has a control socket for its successor, apart from the
//! applications' directory, which may be mounted into any container. There a new instance proves that
//! it has the secret of that directory, asks for the sockets, and gets their descriptors. Both
//! accept clients then, until the new one has said that it serves; only then does the old one stop. So
//! a new one that fails on the way has taken nothing, and there is no moment without a service. The
//! file of the applications' socket stays the same all the time.
//!
//! ```text
//!   new                                old
//!    │  Hello, with a nonce             │ serves
//!    │ ───────────────────────────────► │
//!    │      Challenge: a nonce, a proof │
//!    │ ◄─────────────────────────────── │
//!    │  HandOver, with a proof          │
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
//! handover.rs                a starting instance: who is there, and what to do about it
//! handover/private_files.rs  where one instance finds the other
//! handover/secret.rs         the proof that it may have the sockets
//! handover/successor.rs          what it has got, until it serves
//! handover/predecessor.rs        a running instance: has a successor, or loses its socket
//! handover/serve_successor.rs   gives the sockets to the successor
//! handover/guard.rs          keeps them from blocking the thread that accepts
//! handover/start_lock.rs           one starts at a time
//! handover/channel.rs        messages and descriptors between the two
//! handover/message.rs        the bytes of a message
//! ```

mod channel;
mod guard;
mod handover_counters;
mod message;
mod predecessor;
mod private_files;
mod secret;
mod serve_successor;
mod start_lock;
mod successor;

use std::ffi::OsString;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use private_directory::NotPrivate;
use tracing::warn;

use crate::access::SocketAccess;
use crate::bound_socket::{self, BindError, BoundSocket, Occupant};
use channel::{Channel, Trouble};
use start_lock::StartLock;

use crate::peer::Peer;
pub use handover_counters::HandoverCounters;
pub use message::{FRAME_SIZE, Malformed, Message};
pub use predecessor::{Control, Loss, Successor};
pub use private_files::{PRIVATE_DIRECTORY, PrivateFiles};
pub use secret::{Nonce, Nonces, Proof, Role, Secret, SecretError};
pub use successor::{Claim, Withdrawn};

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
    /// A path cannot be used.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// Others could change the state directory.
    #[error(transparent)]
    NotPrivate(#[from] NotPrivate),
    /// There is no secret to prove anything with.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// Somebody is there who knows nothing of a hand-over.
    #[error(
        "another service is listening at {}: {holder}. Stop it first (an aesmd of the system, or an \
         instance with another state directory, maybe?), choose another path, or take its place with \
         --take-over", .path.display()
    )]
    Occupied {
        /// The path of the socket.
        path: PathBuf,
        /// Who it is.
        holder: String,
    },
    /// An instance from before there was a secret is there.
    #[error(
        "the instance that serves at {}, {holder}, is of an earlier version: it would give its sockets to \
         any process of its user, so that this one takes none from it. Stop it first, or take its place \
         with --take-over", .path.display()
    )]
    Earlier {
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

/// Gets the sockets for a service at `path`: from the instance that serves there with the same private
/// `state_dir`, or new ones if nobody does. Clients are those who have `access`. Who is there and keeps
/// the sockets stays, unless `take_over` says that their place is to be taken. Has to be called within a
/// runtime.
///
/// # Errors
/// [`AcquireError`]; then nothing has changed for whoever is there.
pub async fn acquire(
    path: &Path,
    state_dir: &Path,
    access: SocketAccess,
    take_over: bool,
) -> Result<Acquired, AcquireError> {
    bound_socket::prepare(path)?;
    let files = PrivateFiles::open(path, state_dir)?;
    let lock = match StartLock::take(files.lock.clone()).await {
        Err(AcquireError::Locked(lock)) if take_over => {
            warn!(lock = %lock.display(), "going on although another instance is starting");
            None
        }
        // On a full disk, or one that cannot be written any more, there are quotes all the same.
        Err(AcquireError::Bind(error)) => {
            warn!(%error, "another instance that starts at the same time is not noticed");
            None
        }
        lock => Some(lock?),
    };
    match ask_for(path, access, &files).await {
        Ok(Some(asked)) => return Ok(asked.with_lock(lock)),
        Ok(None) => {}
        Err(refused) if take_over => warn!(%refused, "taking the place of the running instance"),
        Err(refused) => return Err(refused),
    }
    if let Err(occupied) = check_vacant(path) {
        match occupied {
            AcquireError::Occupied { .. } | AcquireError::Earlier { .. } if take_over => {
                warn!(%occupied, "taking the place of another service");
            }
            occupied => return Err(occupied),
        }
    }
    let (socket, listener) = BoundSocket::replace(path, access)?;
    let claim = Claim::bound(socket, files).with_lock(lock);
    Ok(Acquired { listener, predecessor: None, http: Vec::new(), claim })
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
    files: &PrivateFiles,
) -> Result<Option<Acquired>, AcquireError> {
    let Occupant::Somebody(stream) = Occupant::of(&files.control)? else { return Ok(None) };
    let refused = |holder: String, trouble: Trouble| AcquireError::Refused {
        path: path.to_owned(),
        holder,
        reason: trouble.to_string(),
    };
    let busy = || refused("a busy process".to_owned(), Trouble::Busy);
    let channel = Channel::new(stream.ok_or_else(busy)?)
        .map_err(|error| refused("an unknown process".to_owned(), error.into()))?;
    let holder = channel.peer().to_string();
    match successor::ask(channel, path, access, files.clone()).await {
        Ok(asked) => Ok(Some(asked)),
        // What it has is not what clients see; whoever has the path now is asked next.
        Err(Trouble::Displaced) => {
            warn!(holder, "an instance runs whose socket somebody has replaced; it can be stopped");
            Ok(None)
        }
        // It ended at this moment.
        Err(Trouble::Closed) if matches!(Occupant::of(&files.control)?, Occupant::Nobody) => {
            Ok(None)
        }
        Err(trouble) => Err(refused(holder, trouble)),
    }
}

/// Checks that no service listens at the path. Whoever it is has been asked for nothing.
fn check_vacant(path: &Path) -> Result<(), AcquireError> {
    let Occupant::Somebody(stream) = Occupant::of(path)? else { return Ok(()) };
    let holder = stream.and_then(|stream| Peer::of(stream).ok());
    let holder = holder.map_or_else(|| "a busy process".to_owned(), |peer| peer.to_string());
    let path = path.to_owned();
    if is_earlier(&path) {
        return Err(AcquireError::Earlier { path, holder });
    }
    Err(AcquireError::Occupied { path, holder })
}

/// Whether an instance had its control socket beside that of the applications, as those of the first
/// version of the hand-over.
fn is_earlier(path: &Path) -> bool {
    let mut control = OsString::from(path);
    control.push(".control");
    fs::symlink_metadata(control).is_ok_and(|file| file.file_type().is_socket())
}
