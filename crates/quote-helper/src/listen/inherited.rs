//! HTTP listeners of the service manager or the predecessor.

use std::io;
use std::net::{SocketAddr, TcpListener as StdTcpListener};
use std::path::Path;

use anyhow::Context;
use rustix::io::Errno;
use sockets::{BoundSocket, Peer, SocketAccess};
use tokio::net::{TcpListener, UnixListener};
use tracing::info;

use super::bind;

/// The HTTP listeners of a service, some of them inherited.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    inherited: Vec<StdTcpListener>,
    predecessor: Option<Peer>,
    for_successor: Vec<StdTcpListener>,
}

impl Listeners {
    /// No listeners yet, and these to be used.
    pub(crate) fn inherited(inherited: Vec<StdTcpListener>, predecessor: Option<Peer>) -> Self {
        Self { inherited, predecessor, for_successor: Vec::new() }
    }

    /// Listens at the address; `what` is served there, for the log. An address that is in use, and
    /// inherited, is no error.
    pub(crate) async fn tcp(
        &mut self,
        address: SocketAddr,
        what: &'static str,
    ) -> anyhow::Result<TcpListener> {
        // Bound first: in the predecessor's container the same address may be another one.
        let listener = match bind(address).await {
            Err(error) if Errno::from_io_error(&error) == Some(Errno::ADDRINUSE) => {
                self.take(address).unwrap_or(Err(error))
            }
            bound => bound,
        };
        let listener = listener.with_context(|| format!("cannot serve {what} at {address}"))?;
        let (listener, copy) = copied(listener)?;
        self.for_successor.push(copy);
        info!(address = %listener.local_addr()?, "serving {what}");
        Ok(listener)
    }

    /// Listens at a socket for this user alone. Replaces that of a dead service or the predecessor.
    pub(crate) fn unix(
        &self,
        path: &Path,
        what: &'static str,
    ) -> anyhow::Result<(BoundSocket, UnixListener)> {
        let bound = BoundSocket::listen_after(self.predecessor, path, SocketAccess::Owner);
        let (bound, listener) =
            bound.with_context(|| format!("cannot serve {what} over a Unix socket"))?;
        info!(address = %path.display(), "serving {what}");
        Ok((bound, UnixListener::from_std(listener)?))
    }

    /// The listeners that a successor inherits.
    pub(crate) fn for_successor(self) -> Vec<StdTcpListener> {
        self.for_successor
    }

    fn take(&mut self, address: SocketAddr) -> Option<io::Result<TcpListener>> {
        let is_it = |listener: &StdTcpListener| {
            listener.local_addr().is_ok_and(|inherited| is_same(inherited, address))
        };
        let index = self.inherited.iter().position(is_it)?;
        let listener = self.inherited.swap_remove(index);
        Some(listener.set_nonblocking(true).and_then(|()| TcpListener::from_std(listener)))
    }
}

/// All addresses of IPv4 stand for all addresses where the kernel knows nothing of IPv6.
fn is_same(inherited: SocketAddr, wanted: SocketAddr) -> bool {
    let all = [inherited, wanted].iter().all(|address| address.ip().is_unspecified());
    inherited == wanted || all && inherited.port() == wanted.port()
}

/// The listener, and another descriptor of it.
fn copied(listener: TcpListener) -> io::Result<(TcpListener, StdTcpListener)> {
    let listener = listener.into_std()?;
    let copy = listener.try_clone()?;
    Ok((TcpListener::from_std(listener)?, copy))
}
