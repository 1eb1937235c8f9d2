//! An HTTP server with limits on what a client can hold or take: how many connections, how large
//! their headers, how long they last. Everything that this project serves over HTTP is served by it.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// The format of metrics.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Connections at a time; further ones wait to be accepted.
const MAX_CONNECTIONS: usize = 256;
/// Bytes of a request's first line and headers: ten times those of the longest question.
const MAX_HEADER_SIZE: usize = 16 * 1024;
/// How long a request's first line and headers may take, and how long the next may be awaited.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may last, whatever happens on it.
const CONNECTION_LIFE: Duration = Duration::from_secs(60);
/// How long answers that are under way may take once the server is to stop.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(3);
/// The pause after a connection could not be accepted, for instance for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves the router on the listener until `shutdown` is ready, then finishes what was asked.
pub async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()>) {
    let mut shutdown = pin!(shutdown);
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some((stream, slot)) = accept(&listener, &slots) => {
                connections.spawn(connection(stream, slot, router.clone(), &graceful));
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
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, slot)),
        Err(error) => {
            tracing::warn!(%error, "no HTTP connection was accepted");
            sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

/// Serves one connection; the future is independent of the arguments' borrow.
fn connection(
    stream: TcpStream,
    slot: OwnedSemaphorePermit,
    router: Router,
    graceful: &GracefulShutdown,
) -> impl Future<Output = ()> + use<> {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEADER_SIZE)
        .max_header_size(MAX_HEADER_SIZE)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let connection = graceful.watch(connection);
    async move {
        match timeout(CONNECTION_LIFE, connection).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "an HTTP connection failed"),
            Err(_) => tracing::debug!("an HTTP connection is at its end of life"),
        }
        drop(slot);
    }
}
