//! One connection: a frame in, a frame out, as long as the client goes on.

use std::io::{self, ErrorKind, Read, Write};

use aesm::{FRAME_HEADER_SIZE, FrameError, MAX_REQUEST_SIZE, Operation, Response, body_size};

use crate::client::Client;
use crate::handler::{Answer, Handler, QuoteOrder};
use crate::oversized_request::{MAX_DISCARDED_SIZE, OversizedRequest};

/// How much is read at a time: more than any request of a usual client.
const READ_SIZE: usize = 2 * 1024;

/// Reads before other connections get their turn: together 64 KiB, eight times the largest request
/// that is kept.
const READS_PER_TURN: u32 = 32;

/// What a connection cannot go on without.
pub(crate) enum Need {
    /// Bytes of the next request.
    Request,
    /// Room for the rest of a reply.
    Room,
    /// That others get their turn.
    Turn,
    /// A quote.
    Quote(Box<QuoteOrder>),
}

/// Why a connection ends.
#[derive(Debug, thiserror::Error)]
pub(crate) enum End {
    /// The client is done.
    #[error("the client has closed the connection")]
    Closed,
    /// What the client sent cannot be answered.
    #[error("the request is none of the protocol's ECDSA part")]
    Unanswerable,
    /// What the client sent is not even read.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The system says no; also when the client goes away in the middle.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A socket that does not block, before or after it has been registered with the runtime.
pub(crate) trait Socket {
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

/// A request that is whole.
enum FirstRequest<'a> {
    /// Its message.
    Kept(&'a [u8]),
    /// It was too large to be kept.
    Oversized(Option<Operation>),
}

/// What has been received and not answered, answered and not sent.
#[derive(Default)]
pub(crate) struct Connection {
    received: Vec<u8>,
    oversized: Option<OversizedRequest>,
    unsent: Vec<u8>,
    /// How many requests were whole.
    pub(crate) requests: u64,
}

impl Connection {
    /// Goes on without waiting, as far as it goes, and at most by one request. After it a client is mostly done, so
    /// that it makes no sense to look for another one at once.
    pub(crate) fn advance(
        &mut self,
        socket: &impl Socket,
        client: &Client,
        handler: &Handler,
    ) -> Result<Need, End> {
        let (mut answered, mut reads) = (false, 0);
        loop {
            if !self.send(socket)? {
                return Ok(Need::Room);
            }
            if self.requests > 0 && !client.is_within_quota() {
                // It has been told so, once; else it could stay by asking on.
                return Err(End::Closed);
            }
            let Some(request) = self.first_request()? else {
                if reads == READS_PER_TURN {
                    return Ok(Need::Turn);
                }
                if answered || !self.receive(socket)? {
                    return Ok(Need::Request);
                }
                reads = reads.saturating_add(1);
                continue;
            };
            if answered {
                return Ok(Need::Turn);
            }
            let answer = match request {
                FirstRequest::Kept(message) => handler.answer(message, client),
                FirstRequest::Oversized(operation) => handler.answer_oversized(operation),
            };
            self.requests = self.requests.saturating_add(1);
            self.forget_first_request();
            match answer {
                Answer::Response(response) => self.reply(&response),
                Answer::Quote(order) => return Ok(Need::Quote(order)),
                Answer::None => return Err(End::Unanswerable),
            }
            answered = true;
        }
    }

    /// Has the response sent with the next step.
    pub(crate) fn reply(&mut self, response: &Response) {
        self.unsent = response.to_frame();
    }

    /// Whether a part of a request is there.
    pub(crate) fn is_in_a_request(&self) -> bool {
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

    /// Sends in one write, if the client lets us: a reader of Intel's does not survive a reply in
    /// several pieces. Says whether all is sent.
    fn send(&mut self, socket: &impl Socket) -> Result<bool, End> {
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

    /// Receives what is there. Says whether anything was.
    fn receive(&mut self, socket: &impl Socket) -> Result<bool, End> {
        let mut bytes = [0; READ_SIZE];
        loop {
            match socket.receive(&mut bytes) {
                Ok(0) if !self.is_in_a_request() => return Err(End::Closed),
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
    use std::time::{Duration, Instant};

    use aesm::Request;
    use prometheus_client::metrics::gauge::Gauge;
    use quoting::AesmQuoter;

    use super::*;
    use crate::client::Clients;
    use crate::{Limits, Metrics, Rules};

    /// A client that always has two further requests, and takes every reply.
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
    fn a_client_that_never_stops_asking_has_to_wait_for_its_turn() {
        // Nobody is there to ask, so that each answer is an error, at once.
        let quoter = Arc::new(AesmQuoter::new("/nowhere", Duration::ZERO));
        let limits = Limits { quoting_threads: 1, ..Limits::default() };
        let metrics = Metrics::new("test");
        let rules = Rules { limits: limits.clone(), ..Rules::default() }.fixed();
        let handler = Handler::start(quoter, rules, metrics).unwrap();
        let (stream, _other_end) = UnixStream::pair().unwrap();
        let clients = Clients::new(&limits, &Gauge::default());
        let client = clients.identify(&stream, Instant::now()).unwrap();

        let (mut connection, eager) = (Connection::default(), Eager::default());
        for answered in 1..=4 {
            let need = connection.advance(&eager, &client, &handler).unwrap();
            assert_eq!(matches!(need, Need::Turn), answered % 2 == 1);
            assert_eq!(eager.0.get(), answered, "one request for each turn");
        }
    }
}
