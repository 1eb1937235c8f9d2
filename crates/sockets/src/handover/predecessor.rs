//! A running instance: has a control socket for its successor, and notices the loss of its sockets.

use std::future::pending;
use std::net::TcpListener;
use std::os::unix::net::UnixListener as StdUnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use tokio::net::UnixListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tracing::warn;

use super::channel::Channel;
use super::guard::{self, OutOfUse};
use super::private_files::PrivateFiles;
use super::serve_successor::{OwnedSockets, serve_successors};
use crate::access::SocketAccess;
use crate::bound_socket::{BindError, BoundSocket, ExistingListener};
use crate::peer::Peer;
use crate::socket_file::SocketFile;

/// The time for a pending hand-over at the shutdown of the service.
const LAST_HANDOVER_TIMEOUT: Duration = Duration::from_secs(3);
/// The time for a successor to bind its own control socket.
const SUCCESSOR_TIMEOUT: Duration = Duration::from_secs(30);
/// The interval of checks of a socket's file.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// The number of checks in a row that must find the file missing.
const MISSING_CHECKS: u32 = 2;

/// Gives the sockets of a running instance to a successor, once.
#[derive(Debug)]
pub struct HandoverServer {
    file: Arc<SocketFile>,
    sockets: Arc<OwnedSockets>,
    control_path: PathBuf,
    control: Option<ControlSocket>,
    handed_over: oneshot::Receiver<Channel>,
    out_of_use: Option<oneshot::Receiver<OutOfUse>>,
}

/// The instance that has taken over, and serves.
#[derive(Debug)]
pub struct Successor {
    /// Its process.
    pub peer: Peer,
    channel: Channel,
    control_path: PathBuf,
}

/// The control socket.
#[derive(Debug)]
struct ControlSocket {
    socket: BoundSocket,
    server: JoinHandle<()>,
}

/// The loss of a listening socket: clients no longer reach this instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SocketLoss {
    /// The socket's file was removed or replaced.
    Replaced,
    /// Another process has shut the socket down, or keeps making it block.
    OutOfUse,
}

impl Successor {
    /// Waits until it has ended, and no other instance has come after it.
    pub async fn wait_until_vacant(&self) {
        // Closed as soon as the successor has its own control socket.
        let _ = self.channel.receive(SUCCESSOR_TIMEOUT).await;
        let holder = || ExistingListener::at(&self.control_path);
        while !holder().is_ok_and(|holder| holder.is_none()) {
            sleep(CHECK_INTERVAL).await;
        }
    }
}

impl HandoverServer {
    /// Gives these sockets to the first process that proves at the control socket that it has the
    /// secret.
    pub(crate) fn start(
        files: PrivateFiles,
        listener: StdUnixListener,
        http: Vec<TcpListener>,
        socket: BoundSocket,
        given: Counter,
    ) -> Self {
        let file = Arc::clone(socket.file());
        let sockets = Arc::new(OwnedSockets::new(listener, http, socket, given));
        let (sender, handed_over) = oneshot::channel();
        let PrivateFiles { control: control_path, secret, .. } = files;
        let control = bind_control_socket(&control_path)
            .map(|(socket, listener)| {
                let server = serve_successors(listener, Arc::clone(&sockets), secret, sender);
                ControlSocket { socket, server: tokio::spawn(server) }
            })
            .inspect_err(|error| warn!(%error, "no successor can take over from this instance"));
        let out_of_use = sockets
            .descriptors()
            .and_then(guard::start)
            .inspect_err(|error| warn!(%error, "cannot guard the listening sockets"));
        let (control, out_of_use) = (control.ok(), out_of_use.ok());
        Self { file, sockets, control_path, control, handed_over, out_of_use }
    }

    /// Waits until a successor has the sockets and serves.
    pub(crate) async fn handed_over(&mut self) -> Successor {
        match (&mut self.handed_over).await {
            Ok(channel) => {
                let control_path = self.control_path.clone();
                Successor { peer: channel.peer(), channel, control_path }
            }
            // There is no control socket.
            Err(_) => pending().await,
        }
    }

    /// Waits until clients no longer reach this instance.
    pub(crate) fn lost(&mut self) -> impl Future<Output = SocketLoss> + use<> {
        let (file, out_of_use) = (Arc::clone(&self.file), self.out_of_use.take());
        async move {
            tokio::select! {
                () = socket_replaced(&file) => SocketLoss::Replaced,
                () = socket_out_of_use(out_of_use) => SocketLoss::OutOfUse,
            }
        }
    }

    /// Removes the sockets' files at the shutdown. A pending hand-over is completed if it takes
    /// less than [`LAST_HANDOVER_TIMEOUT`]; then the files stay.
    pub(crate) async fn close(mut self) -> Option<Successor> {
        let sockets = Arc::clone(&self.sockets);
        match timeout(LAST_HANDOVER_TIMEOUT, sockets.file.lock()).await {
            Ok(file) if file.is_none() => {
                drop(file);
                return Some(self.handed_over().await);
            }
            Ok(mut file) => drop(file.take()),
            Err(_) => {
                // This ends the hand-over that holds the file.
                self.close_control_socket();
                drop(sockets.file.lock().await.take());
            }
        }
        self.close_control_socket();
        None
    }

    fn close_control_socket(&mut self) {
        if let Some(ControlSocket { server, .. }) = self.control.take() {
            server.abort();
        }
    }
}

impl Drop for HandoverServer {
    fn drop(&mut self) {
        // A successor that serves is about to replace the file: to check whether it has done so,
        // and to remove it, would be two steps.
        if self.sockets.is_given()
            && let Some(ControlSocket { socket, server }) = self.control.take()
        {
            server.abort();
            socket.leave();
        }
        self.close_control_socket();
    }
}

fn bind_control_socket(path: &Path) -> Result<(BoundSocket, UnixListener), BindError> {
    let (socket, listener) = BoundSocket::replace(path, SocketAccess::Owner)?;
    let listener = UnixListener::from_std(listener);
    Ok((socket, listener.map_err(|source| BindError::Io { path: path.to_owned(), source })?))
}

async fn socket_replaced(file: &SocketFile) {
    let mut missing = 0;
    while missing < MISSING_CHECKS {
        sleep(CHECK_INTERVAL).await;
        missing = if file.is_unchanged() { 0 } else { missing.saturating_add(1) };
    }
}

async fn socket_out_of_use(guard: Option<oneshot::Receiver<OutOfUse>>) {
    let is_out_of_use = match guard {
        Some(guard) => guard.await.is_ok(),
        None => false,
    };
    if !is_out_of_use {
        // Nothing guards the sockets.
        pending::<()>().await;
    }
}
