//! The requests and replies of one connection: a frame in, a frame out, as long as the client asks.

use std::io::{self, ErrorKind, Read, Write};

use aesm::{FRAME_HEADER_SIZE, FrameError, MAX_REQUEST_SIZE, Operation, Response, body_size};
use tracing::debug;

use super::oversized_request::{MAX_DISCARDED_SIZE, OversizedRequest};
use crate::caller::Client;
use crate::handler::{Handled, Handler, PendingQuote};

/// The most bytes of one read: more than any request of a usual client.
const READ_SIZE: usize = 2 * 1024;

/// Reads before other connections get their turn: together 64 KiB, eight times the largest request
/// that is kept.
const READS_PER_TURN: u32 = 32;

/// The next step of a connection.
pub(super) enum Wants {
    /// To read the next request.
    Read,
    /// To write the rest of a reply.
    Write,
    /// To yield to other connections.
    Yield,
    /// A quote.
    Quote(Box<PendingQuote>),
}

/// The reason for closing a connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum CloseReason {
    #[error("the client has closed the connection")]
    ClosedByClient,
    #[error("the request has no reply in the protocol's ECDSA part")]
    Unanswerable,
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("the request did not arrive in time")]
    RequestTimeout,
    #[error("the client did not take its reply in time")]
    ReplyTimeout,
    #[error("the connection was idle")]
    Idle,
    #[error("no connection is left, and the caller has the most")]
    Revoked,
    #[error("the caller has too many connections, and was told so")]
    OverQuota,
}

impl CloseReason {
    pub(super) fn log(&self, client: &Client) {
        if !matches!(self, Self::ClosedByClient) {
            debug!(pid = client.caller.pid, reason = %self, "closing a connection");
        }
    }
}

/// A socket that does not block, before or after it has been registered with the runtime.
pub(super) trait Socket {
    fn receive(&self, bytes: &mut [u8]) -> io::Result<usize>;
    fn send(&self, bytes: &[u8]) -> io::Result<usize>;
}

impl Socket for std::os::unix::net::UnixStream {
    fn receive(&self, bytes: &mut [u8]) -> io::Result<usize> {
        (&*self).read(bytes)
    }

    fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        (&*self).write(bytes)
    }
}

impl Socket for tokio::net::UnixStream {
    fn receive(&self, bytes: &mut [u8]) -> io::Result<usize> {
        self.try_read(bytes)
    }

    fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        self.try_write(bytes)
    }
}

/// A whole request.
enum FirstRequest<'a> {
    /// Its message.
    Kept(&'a [u8]),
    /// Its operation, if it was too large to keep.
    Oversized(Option<Operation>),
}

/// The unanswered requests and the unsent reply of a connection.
#[derive(Default)]
pub(super) struct Exchange {
    received: Vec<u8>,
    oversized: Option<OversizedRequest>,
    unsent: Vec<u8>,
    /// The number of whole requests.
    pub(super) requests: u64,
}

impl Exchange {
    /// Goes on as far as possible without waiting, for at most one request: most clients send only
    /// one, so that looking for a second one at once does not pay.
    pub(super) fn advance(
        &mut self,
        socket: &impl Socket,
        client: &Client,
        handler: &Handler,
    ) -> Result<Wants, CloseReason> {
        let (mut answered, mut reads) = (false, 0);
        loop {
            if !self.send(socket)? {
                return Ok(Wants::Write);
            }
            if self.requests > 0 && !client.within_quota() {
                // It was told so once; otherwise it could stay by asking again.
                return Err(CloseReason::OverQuota);
            }
            let Some(request) = self.first_request()? else {
                if reads == READS_PER_TURN {
                    return Ok(Wants::Yield);
                }
                if answered || !self.receive(socket)? {
                    return Ok(Wants::Read);
                }
                reads = reads.saturating_add(1);
                continue;
            };
            if answered {
                return Ok(Wants::Yield);
            }
            let answer = match request {
                FirstRequest::Kept(message) => handler.answer(message, client),
                FirstRequest::Oversized(operation) => handler.answer_oversized(operation),
            };
            self.requests = self.requests.saturating_add(1);
            self.forget_first_request();
            match answer {
                Handled::Response(response) => self.reply(&response),
                Handled::Quote(quote) => return Ok(Wants::Quote(quote)),
                Handled::NoReply => return Err(CloseReason::Unanswerable),
            }
            answered = true;
        }
    }

    /// Sends the response with the next [`Exchange::advance`].
    pub(super) fn reply(&mut self, response: &Response) {
        self.unsent = response.to_frame();
    }

    /// Tells if a request has arrived in part.
    pub(super) fn is_in_a_request(&self) -> bool {
        !self.received.is_empty() || self.oversized.is_some()
    }

    /// The first request, once it is whole.
    fn first_request(&mut self) -> Result<Option<FirstRequest<'_>>, FrameError> {
        if let Some(oversized) = &self.oversized {
            let request = FirstRequest::Oversized(oversized.operation());
            return Ok(oversized.is_whole().then_some(request));
        }
        let Some((header, body)) = self.received.split_first_chunk() else { return Ok(None) };
        let size = body_size(*header, MAX_DISCARDED_SIZE)?;
        if size > MAX_REQUEST_SIZE {
            self.oversized = OversizedRequest::begin(size, body);
            if self.oversized.is_some() {
                self.received = Vec::new();
            }
            return Ok(None);
        }
        let message = FRAME_HEADER_SIZE..FRAME_HEADER_SIZE.saturating_add(size);
        Ok(self.received.get(message).map(FirstRequest::Kept))
    }

    /// Forgets the first request, which is whole. An idle connection holds no memory.
    fn forget_first_request(&mut self) {
        if self.oversized.take().is_some() {
            return;
        }
        if let Some((header, rest)) = self.received.split_first_chunk() {
            let size = body_size(*header, MAX_REQUEST_SIZE).unwrap_or_default();
            self.received = rest.get(size..).unwrap_or_default().to_vec();
        }
    }

    /// Sends the reply in one write if possible, since one of Intel's readers crashes on pieces.
    /// Returns false if the socket takes no more for now.
    fn send(&mut self, socket: &impl Socket) -> Result<bool, CloseReason> {
        while !self.unsent.is_empty() {
            match socket.send(&self.unsent) {
                Ok(sent) if sent == self.unsent.len() => self.unsent = Vec::new(),
                Ok(sent) => drop(self.unsent.drain(..sent)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }

    /// Receives once. Returns false if there is nothing to read.
    fn receive(&mut self, socket: &impl Socket) -> Result<bool, CloseReason> {
        let mut bytes = [0; READ_SIZE];
        loop {
            match socket.receive(&mut bytes) {
                Ok(0) if !self.is_in_a_request() => return Err(CloseReason::ClosedByClient),
                Ok(0) => return Err(io::Error::from(ErrorKind::UnexpectedEof).into()),
                Ok(size) => {
                    let bytes = bytes.get(..size).unwrap_or_default();
                    let kept = match &mut self.oversized {
                        Some(oversized) => oversized.discard(bytes),
                        None => bytes,
                    };
                    self.received.extend_from_slice(kept);
                    return Ok(true);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::os::unix::net::UnixStream;
    use std::sync::Arc;
    use std::time::Instant;

    use aesm::Request;
    use prometheus_client::metrics::gauge::Gauge;
    use quoting::SoftwareQuoter;
    use software_platform::{Deployment, MachineSecret, SoftwarePlatform, SubjectNames};

    use super::*;
    use crate::caller::Callers;
    use crate::{Limits, Metrics, Rules};

    /// A client that always sends two further requests, and takes every reply.
    #[derive(Default)]
    struct Eager(Cell<usize>);

    impl Socket for Eager {
        fn receive(&self, bytes: &mut [u8]) -> io::Result<usize> {
            let requests = Request::GetSupportedAttKeyIds { buf_size: 0 }.to_frame(None).repeat(2);
            bytes[..requests.len()].copy_from_slice(&requests);
            Ok(requests.len())
        }

        fn send(&self, bytes: &[u8]) -> io::Result<usize> {
            self.0.update(|sent| sent.saturating_add(1));
            Ok(bytes.len())
        }
    }

    #[test]
    fn a_client_that_never_stops_asking_yields_after_each_request() {
        let created = time::OffsetDateTime::now_utc();
        let deployment = Deployment::generate(SubjectNames::Software, created).unwrap();
        let platform = SoftwarePlatform::new(deployment, MachineSecret::generate().unwrap());
        let quoter = Arc::new(SoftwareQuoter::new(Arc::new(platform.unwrap())));
        let handler = Handler::new(quoter, Rules::default().fixed(), Metrics::new("test"));
        let (stream, _other_end) = UnixStream::pair().unwrap();
        let callers = Callers::new(&Limits::default(), &Gauge::default());
        let client = callers.admit(&stream, Instant::now()).unwrap();

        let (mut exchange, eager) = (Exchange::default(), Eager::default());
        for answered in 1..=4 {
            let wants = exchange.advance(&eager, &client, &handler).unwrap();
            assert_eq!(matches!(wants, Wants::Yield), answered % 2 == 1);
            assert_eq!(eager.0.get(), answered, "one request for each turn");
        }
    }
}
