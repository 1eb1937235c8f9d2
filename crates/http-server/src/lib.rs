//! An HTTP server with limits on what a client can hold or take: how many connections, how large
//! their headers, how long they last. Everything that this project serves over HTTP is served by it.

mod listener;

use std::future::{Future, ready};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

pub use listener::Listener;

/// The format of metrics.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Connections at a time; further ones wait to be accepted.
const MAX_CONNECTIONS: usize = 256;
/// Bytes of a request's first line and headers: ten times those of the longest question.
const MAX_HEADER_SIZE: usize = 16 * 1024;
/// How long a request's first line and headers may take, how long the next may be awaited, and how long a TLS
/// handshake may take.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may last, whatever happens on it.
const CONNECTION_LIFE: Duration = Duration::from_secs(60);
/// How long answers that are under way may take once the server is to stop.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(3);
/// The pause after a connection could not be accepted, for instance for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves the router on the listener until `shutdown` is ready, then finishes what was asked.
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
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some((stream, slot)) = accept(&listener, &slots) => {
                let stream = handshake(stream);
                connections.spawn(connection(stream, slot, router.clone(), graceful.watcher()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    if timeout(SHUTDOWN_GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("HTTP connections were cut at shutdown");
    }
}

/// The metrics of the registry in the OpenMetrics text format: the answer to `/metrics`.
#[must_use]
pub fn open_metrics(registry: &Registry) -> impl IntoResponse + use<> {
    let mut encoded = String::new();
    // Writing into a string does not fail.
    let _ = text::encode(&mut encoded, registry);
    ([(CONTENT_TYPE, OPEN_METRICS)], encoded)
}

/// The next connection, as soon as there is a slot for it.
async fn accept<L: Listener>(
    listener: &L,
    slots: &Arc<Semaphore>,
) -> Option<(L::Stream, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok(stream) => Some((stream, slot)),
        Err(error) => {
            tracing::warn!(%error, "no HTTP connection was accepted");
            sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

/// Serves one connection, as soon as its stream is there.
async fn connection<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: impl Future<Output = io::Result<S>>,
    slot: OwnedSemaphorePermit,
    router: Router,
    graceful: Watcher,
) {
    let served = async {
        let stream = match timeout(HEADER_TIMEOUT, stream).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => return tracing::debug!("a TLS handshake took too long"),
        };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .max_buf_size(MAX_HEADER_SIZE)
            .max_header_size(MAX_HEADER_SIZE)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
        if let Err(error) = graceful.watch(connection).await {
            tracing::debug!(%error, "an HTTP connection failed");
        }
    };
    if timeout(CONNECTION_LIFE, served).await.is_err() {
        tracing::debug!("an HTTP connection is at its end of life");
    }
    drop(slot);
}
