//! One connection: a frame in, a frame out, as long as the client goes on.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use aesm::{FRAME_HEADER_SIZE, MAX_REQUEST_SIZE, body_size};
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::debug;

use crate::handler::Handler;
use crate::limits::Limits;
use crate::metrics::{Metrics, Outcome};

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) handler: Handler,
    pub(crate) limits: Limits,
    pub(crate) metrics: Metrics,
}

/// After the service was told to stop, a client that has just connected has this long to begin.
const LAST_CALL: Duration = Duration::from_millis(500);

/// Serves a connection to its end. Whatever goes wrong ends this connection only.
pub(crate) async fn serve(stream: UnixStream, shared: &Shared, stopping: watch::Receiver<bool>) {
    let mut connection = Connection { stream, shared, received: Vec::new(), stopping };
    let mut served = false;
    while let Some(request) = connection.request(served).await {
        if connection.reply(&request).await.is_none() {
            break;
        }
        served = true;
    }
}

struct Connection<'a> {
    stream: UnixStream,
    shared: &'a Shared,
    /// Bytes of the next request or requests; holds no memory while the connection is idle.
    received: Vec<u8>,
    stopping: watch::Receiver<bool>,
}

impl Connection<'_> {
    /// The next request; `None` when the connection is to be closed.
    async fn request(&mut self, served: bool) -> Option<Vec<u8>> {
        if self.received.is_empty() {
            self.received = Vec::new();
            self.wait_for_a_client(served).await?;
        }
        match timeout(self.shared.limits.request_timeout, self.read_frame()).await {
            Ok(Ok(request)) => Some(request),
            Ok(Err(error)) => self.close(&error.to_string()),
            Err(_) => self.close("the request did not arrive in time"),
        }
    }

    /// Waits until there is something to read, for as long as an idle connection is kept.
    async fn wait_for_a_client(&mut self, served: bool) -> Option<()> {
        let limit = self.shared.limits.idle_timeout;
        let Self { stream, stopping, .. } = self;
        tokio::select! {
            biased;
            ready = timeout(limit, stream.readable()) => return ready.ok()?.ok(),
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
        let last_call = if served { Duration::ZERO } else { LAST_CALL };
        timeout(last_call, stream.readable()).await.ok()?.ok()
    }

    async fn read_frame(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some(request) = take_frame(&mut self.received)? {
                return Ok(request);
            }
            self.stream.readable().await?;
            self.received.reserve(MAX_REQUEST_SIZE / 4);
            match self.stream.try_read_buf(&mut self.received) {
                Ok(0) if self.received.is_empty() => {
                    return Err(ErrorKind::ConnectionAborted.into());
                }
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Answers in one write: a reader of Intel's does not survive a reply in several pieces.
    async fn reply(&mut self, request: &[u8]) -> Option<()> {
        let start = Instant::now();
        let Some((operation, response)) = self.shared.handler.answer(request).await else {
            self.shared.metrics.unanswered.inc();
            return self.close("the request is none of the protocol's ECDSA part");
        };
        let frame = response.to_frame();
        let outcome = Outcome::of(operation, response.error);
        self.shared.metrics.record(outcome, start.elapsed());
        match timeout(self.shared.limits.reply_timeout, self.stream.write_all(&frame)).await {
            Ok(Ok(())) => Some(()),
            Ok(Err(error)) => self.close(&error.to_string()),
            Err(_) => self.close("the client did not take its reply in time"),
        }
    }

    fn close<T>(&self, reason: &str) -> Option<T> {
        if !self.received.is_empty() || reason != ErrorKind::ConnectionAborted.to_string() {
            let pid = self.stream.peer_cred().ok().and_then(|peer| peer.pid());
            debug!(pid, reason, "closing a connection");
        }
        None
    }
}

/// Takes the first whole frame's message off the front of `received`.
fn take_frame(received: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
    let Some((header, rest)) = received.split_first_chunk::<FRAME_HEADER_SIZE>() else {
        return Ok(None);
    };
    let size = body_size(*header, MAX_REQUEST_SIZE)
        .map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
    let Some(message) = rest.get(..size) else { return Ok(None) };
    let message = message.to_vec();
    received.drain(..FRAME_HEADER_SIZE.saturating_add(size));
    Ok(Some(message))
}
