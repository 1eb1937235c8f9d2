//! The listening socket of a service, from its start to its end.
//!
//! 1. [`ListeningSocket`] has it: from the service manager (`activation.rs`); else from the running
//!    instance, which still serves (`handover/successor.rs`); else a new one (`bound_socket.rs`).
//! 2. [`SocketSource::start_serving`] has the predecessor stop, if there is one. From then on a
//!    successor can ask for the socket (`handover/predecessor.rs`).
//! 3. [`ServingSocket::until_end`] waits for a stop, a successor that serves, or the loss of the
//!    socket. The file is removed, unless the service manager or a successor has it.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use tracing::{info, warn};

use crate::access::SocketAccess;
use crate::bound_socket::{BoundSocket, ExistingListener, prepare};
use crate::handover::start_lock::StartLock;
use crate::handover::successor::{Received, Takeover, request_sockets};
use crate::handover::{
    HandoverCounters, HandoverServer, PrivateFiles, SocketLoss, Successor, TakeoverRefused,
};
use crate::open_error::OpenError;
use crate::peer::Peer;

/// The socket of a starting service.
#[derive(Debug)]
pub struct ListeningSocket {
    /// Accepts clients, without blocking.
    pub listener: UnixListener,
    /// Its path, empty if the service manager's socket has none.
    pub path: PathBuf,
    /// Listeners for HTTP that come with it.
    pub http: Vec<TcpListener>,
    /// The running instance, which serves until [`SocketSource::start_serving`].
    pub predecessor: Option<Peer>,
    /// Its origin.
    pub source: SocketSource,
}

/// The options of a starting service.
#[derive(Debug, Clone, Copy)]
pub struct SocketOptions<'a> {
    /// The path that clients connect to.
    pub path: &'a Path,
    /// The private directory in which instances meet.
    pub state_dir: &'a Path,
    /// The users who may connect.
    pub access: SocketAccess,
    /// Replaces the socket of a service that does not hand over.
    pub take_over: bool,
}

/// The origin of a socket. Dropped, it leaves everything to the predecessor.
#[derive(Debug)]
pub enum SocketSource {
    /// The service manager, which keeps it.
    ServiceManager,
    /// A new socket.
    New(BoundSocket, Instance),
    /// A predecessor.
    Predecessor(Takeover, Instance),
}

/// A starting instance of the service in its state directory.
#[derive(Debug)]
pub struct Instance {
    files: PrivateFiles,
    _lock: Option<StartLock>,
}

/// The socket of a service that serves.
#[derive(Debug)]
pub struct ServingSocket(Option<HandoverServer>);

/// The reason that a service stops.
#[derive(Debug)]
pub enum SocketEnd {
    /// At its shutdown. The socket is removed.
    Closed,
    /// At its shutdown. The service manager keeps the socket.
    Kept,
    /// A successor has the socket, and serves.
    HandedOver(Successor),
    /// Clients no longer reach the socket.
    Lost(SocketLoss),
    /// The predecessor goes on serving.
    TakeoverRefused(TakeoverRefused),
}

impl ListeningSocket {
    /// Takes the service manager's socket, and leaves it as its unit says.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn from_service_manager(
        listener: UnixListener,
        http: Vec<TcpListener>,
    ) -> io::Result<Self> {
        let path = listener.local_addr()?.as_pathname().map(PathBuf::from).unwrap_or_default();
        let source = SocketSource::ServiceManager;
        Ok(Self { listener, path, http, predecessor: None, source })
    }

    /// Takes the socket of the instance that serves at the path with the same state directory;
    /// makes a new one if no service listens, or `take_over` is set.
    ///
    /// # Errors
    /// [`OpenError`]; the service that listens is not affected.
    pub async fn open(options: SocketOptions<'_>) -> Result<Self, OpenError> {
        let SocketOptions { path, state_dir, access, take_over } = options;
        prepare(path)?;
        let files = PrivateFiles::open(path, state_dir)?;
        let _lock = lock(&files, take_over).await?;
        let instance = Instance { files, _lock };
        match request(options, &instance.files).await {
            Ok(None) => {}
            Ok(Some(Received { listener, http, takeover })) => {
                let (path, predecessor) = (path.to_owned(), Some(takeover.predecessor()));
                let source = SocketSource::Predecessor(takeover, instance);
                return Ok(Self { listener, path, http, predecessor, source });
            }
            Err(refused) if take_over => {
                warn!(%refused, "replacing the socket of the running instance");
            }
            Err(refused) => return Err(refused),
        }
        match check_vacant(path) {
            Err(occupied @ (OpenError::Occupied { .. } | OpenError::Earlier { .. }))
                if take_over =>
            {
                warn!(%occupied, "replacing the socket of another service");
            }
            checked => checked?,
        }
        let (file, listener) = BoundSocket::replace(path, access)?;
        let source = SocketSource::New(file, instance);
        Ok(Self { listener, path: path.to_owned(), http: Vec::new(), predecessor: None, source })
    }
}

/// Waits for another instance that is starting.
async fn lock(files: &PrivateFiles, take_over: bool) -> Result<Option<StartLock>, OpenError> {
    match StartLock::take(&files.lock).await {
        Ok(None) if take_over => {
            warn!(lock = %files.lock.display(), "ignoring another instance that is starting");
            Ok(None)
        }
        Ok(None) => Err(OpenError::Locked(files.lock.clone())),
        // The service also starts on a full or read-only disk.
        Err(error) => {
            warn!(
                lock = %files.lock.display(), %error,
                "cannot detect another instance that starts at the same time"
            );
            Ok(None)
        }
        Ok(lock) => Ok(lock),
    }
}

/// Asks the instance at the control socket, if there is one, for its sockets.
async fn request(
    SocketOptions { path, access, .. }: SocketOptions<'_>,
    files: &PrivateFiles,
) -> Result<Option<Received>, OpenError> {
    let holder = ExistingListener::at(&files.control)?;
    let received = request_sockets(holder, path, access, files).await;
    received.map_err(|refused| OpenError::Refused {
        path: path.to_owned(),
        holder: refused.holder,
        reason: refused.reason.to_string(),
    })
}

/// Checks that no service listens at the path.
fn check_vacant(path: &Path) -> Result<(), OpenError> {
    let holder = match ExistingListener::at(path)? {
        ExistingListener::None => return Ok(()),
        ExistingListener::Busy => None,
        ExistingListener::Connected(stream) => Peer::of(&stream).ok(),
    };
    let holder = holder.map_or_else(|| "a busy process".to_owned(), |peer| peer.to_string());
    let path = path.to_owned();
    Err(match is_earlier(&path) {
        true => OpenError::Earlier { path, holder },
        false => OpenError::Occupied { path, holder },
    })
}

/// The first version of the hand-over had its control socket beside the applications' socket.
fn is_earlier(path: &Path) -> bool {
    let mut control = OsString::from(path);
    control.push(".control");
    fs::symlink_metadata(control).is_ok_and(|file| file.file_type().is_socket())
}

impl SocketSource {
    /// Has the predecessor stop, since this service now serves, and gives these sockets to the next
    /// successor.
    ///
    /// # Errors
    /// [`TakeoverRefused`]; then this service must stop.
    pub async fn start_serving(
        self,
        listener: UnixListener,
        http: Vec<TcpListener>,
        counters: &HandoverCounters,
    ) -> Result<ServingSocket, TakeoverRefused> {
        // The predecessor may look for this instance at the control socket as soon as its
        // connection is closed, and the next instance as soon as the lock is gone.
        let (file, Instance { files, _lock }, _predecessor) = match self {
            Self::ServiceManager => return Ok(ServingSocket(None)),
            Self::New(file, instance) => (file, instance, None),
            Self::Predecessor(takeover, instance) => {
                let (file, predecessor) = takeover.complete(&listener).await?;
                counters.taken().inc();
                (file, instance, Some(predecessor))
            }
        };
        let server = HandoverServer::start(files, listener, http, file, counters.given());
        Ok(ServingSocket(Some(server)))
    }
}

impl ServingSocket {
    /// Waits until the service must stop.
    pub async fn until_end(self, stopped: impl Future<Output = ()>) -> SocketEnd {
        let Some(mut server) = self.0 else {
            stopped.await;
            return SocketEnd::Kept;
        };
        let lost = server.lost();
        let successor = tokio::select! {
            biased;
            successor = server.handed_over() => Some(successor),
            () = stopped => server.close().await,
            loss = lost => return SocketEnd::Lost(loss),
        };
        let Some(successor) = successor else { return SocketEnd::Closed };
        info!(
            successor = %successor.peer,
            "a new instance serves; this one finishes what it has accepted"
        );
        SocketEnd::HandedOver(successor)
    }
}
