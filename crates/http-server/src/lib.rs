//! An HTTP server that limits the number of connections, the size of headers, and the life of
//! connections. All HTTP of this project is served by it.

mod connection;
mod connections;
mod index;
mod listener;
mod metrics;
mod peer;

use std::future::{Future, ready};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use crate::connections::Connections;
pub use crate::index::Index;
pub use crate::listener::Listener;
pub use crate::metrics::metrics;
pub use crate::peer::Peer;

/// Maximum connections of one server, for budgets of file descriptors.
pub const MAX_CONNECTIONS: usize = connections::MAX_BUSY;

/// Maximum time for responses in progress at shutdown.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(3);
/// The pause after a connection could not be accepted, for instance for want of descriptors: with
/// an idle connection closed for it, and without one.
const ACCEPT_PAUSES: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(100)];

/// Serves the router on the listener until `shutdown` is ready, then finishes what was asked. Each
/// request has its [`Peer`] among its extensions.
pub async fn serve(listener: impl Listener, router: Router, shutdown: impl Future<Output = ()>) {
    serve_streams(listener, |stream| ready(Ok(stream)), router, shutdown).await;
}

/// Does the same over TLS.
pub async fn serve_tls(
    listener: impl Listener,
    config: Arc<ServerConfig>,
    router: Router,
    shutdown: impl Future<Output = ()>,
) {
    let acceptor = TlsAcceptor::from(config);
    serve_streams(listener, |stream| acceptor.accept(stream), router, shutdown).await;
}

async fn serve_streams<L, S, H>(
    listener: L,
    handshake: impl Fn(L::Stream) -> H,
    router: Router,
    shutdown: impl Future<Output = ()>,
) where
    L: Listener,
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Future<Output = io::Result<S>> + Send + 'static,
{
    let mut shutdown = pin!(shutdown);
    let (connections, graceful) = (Connections::default(), GracefulShutdown::new());
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some((stream, peer)) = accept(&listener, &connections) => {
                let (stream, slot) = (handshake(stream), connections.admit(peer));
                tasks.spawn(connection::serve(stream, peer, slot, router.clone(), graceful.watcher()));
            }
            Some(_) = tasks.join_next() => {}
        }
    }
    drop(listener);
    if timeout(SHUTDOWN_GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("closed HTTP connections with unfinished responses at shutdown");
    }
}

/// Accepts the next connection; closes an idle one if descriptors run out.
async fn accept<L: Listener>(listener: &L, connections: &Connections) -> Option<(L::Stream, Peer)> {
    match listener.accept().await {
        Ok(accepted) => Some(accepted),
        Err(error) => {
            let [after_closing, without] = ACCEPT_PAUSES;
            let closed = connections.close_idle();
            if !closed {
                tracing::warn!(%error, "cannot accept an HTTP connection");
            }
            sleep(if closed { after_closing } else { without }).await;
            None
        }
    }
}
