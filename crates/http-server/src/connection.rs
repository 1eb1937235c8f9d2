//! One connection, from the handshake to its end.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use hyper::Request;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use crate::connections::{Busy, Evicted, Slot};
use crate::peer::Peer;

/// Maximum size of a request's head in bytes: ten times the longest request.
const MAX_HEADER_SIZE: usize = 16 * 1024;
/// Timeout of a TLS handshake, of a request's head, and of idling between requests.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum life of a connection.
const CONNECTION_LIFE: Duration = Duration::from_secs(60);

/// Serves one connection until it ends or loses its slot. Requests have the peer as an extension.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: impl Future<Output = io::Result<S>>,
    peer: Peer,
    (slot, evicted): (Slot, Evicted),
    router: Router,
    graceful: Watcher,
) {
    let slot = Arc::new(slot);
    let served = async {
        let stream = match timeout(HEADER_TIMEOUT, stream).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => return tracing::debug!("a TLS handshake took too long"),
        };
        let router = TowerToHyperService::new(router);
        let respond = |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            let (busy, response) = (slot.begin(), router.call(request));
            async {
                response
                    .await
                    .map(|response| response.map(|body| Body::new(BusyBody { body, _busy: busy })))
            }
        };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .max_buf_size(MAX_HEADER_SIZE)
            .max_header_size(MAX_HEADER_SIZE)
            .serve_connection(TokioIo::new(stream), service_fn(respond));
        if let Err(error) = graceful.watch(connection).await {
            tracing::debug!(%error, "an HTTP connection failed");
        }
    };
    tokio::select! {
        served = timeout(CONNECTION_LIFE, served) => if served.is_err() {
            tracing::debug!("an HTTP connection reached its maximum life");
        },
        _ = evicted => tracing::debug!("an HTTP connection was evicted for a new one"),
    }
}

/// The body of a response, which keeps the connection busy until it is sent.
struct BusyBody {
    body: Body,
    _busy: Busy,
}

impl HttpBody for BusyBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
