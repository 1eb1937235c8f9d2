//! The client's side: one request, one connection, one reply.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use sgx::AesmError;

use crate::frame::{FRAME_HEADER_SIZE, FrameError, MAX_RESPONSE_SIZE, body_size};
use crate::{Payload, Request, Response, ResponseError};

/// The reason why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The reply is an error of the protocol.
    #[error("the quote service answered: {0}{hint}", hint = hint(*.0))]
    Refused(#[from] AesmError),
    /// No service accepts on the socket.
    #[error(
        "cannot connect to the quote service at {}: {source}. Is the service running, and is its \
         socket directory mounted here?", .socket.display()
    )]
    Connect {
        /// The path of the socket.
        socket: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The timeout has passed.
    #[error("the quote service at {} did not answer within {timeout:?}", .socket.display())]
    Timeout {
        /// The path of the socket.
        socket: PathBuf,
        /// The timeout.
        timeout: Duration,
    },
    /// The connection ended within the reply. The request can be retried.
    #[error("the quote service closed the connection before the end of its reply: {0}")]
    Disconnected(io::Error),
    /// The reply's length is not acceptable.
    #[error("the quote service sent an invalid reply: {0}")]
    Frame(#[from] FrameError),
    /// The reply is not one of the protocol, or one to another request.
    #[error("the quote service sent an unexpected message: {0}")]
    Response(#[from] ResponseError),
}

/// The second meaning of a code.
fn hint(error: AesmError) -> &'static str {
    match error {
        AesmError::UnsupportedAttKeyId => {
            "; or the policy of the service refuses this caller or this enclave: the service's log has \
             the reason"
        }
        _ => "",
    }
}

/// A client of one service. Each request has a connection of its own, as in Intel's clients.
#[derive(Debug, Clone)]
pub struct Client {
    socket: PathBuf,
    timeout: Duration,
}

impl Client {
    /// The default timeout of a request and its reply, that of Intel's client.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(15);

    /// A client of the service at `socket`, a path.
    #[must_use]
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Self { socket: socket.into(), timeout: Self::DEFAULT_TIMEOUT }
    }

    /// Sets the timeout of connecting, a request and its reply together.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// The path of the service's socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The deadline of a request that begins now.
    #[must_use]
    pub fn deadline(&self) -> Deadline {
        Deadline::after(self.timeout)
    }

    /// Sends a request, without retries, and waits for its reply.
    ///
    /// # Errors
    /// [`ClientError`]; an error number in the reply is [`ClientError::Refused`].
    pub fn call(&self, request: &Request<'_>) -> Result<Payload, ClientError> {
        self.call_by(&self.deadline(), request)
    }

    /// As [`Self::call`], with a deadline that several requests share.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub fn call_by(
        &self,
        deadline: &Deadline,
        request: &Request<'_>,
    ) -> Result<Payload, ClientError> {
        let frame = request.to_frame(u32::try_from(self.timeout.as_millis()).ok());
        let mut stream = self.connect(deadline)?;
        let message =
            exchange(&mut stream, &frame, deadline).map_err(|error| self.explain(error))??;
        let response = Response::decode(&message)?;
        match response.error {
            None => Ok(response.payload),
            Some(error) => Err(error.into()),
        }
    }

    /// Connects within the deadline, for requests that are written and read in another way.
    ///
    /// # Errors
    /// [`ClientError::Connect`] and [`ClientError::Timeout`].
    pub fn connect(&self, deadline: &Deadline) -> Result<UnixStream, ClientError> {
        connect(&self.socket, deadline).map_err(|error| {
            if is_timeout(&error) {
                self.explain(error)
            } else {
                ClientError::Connect { socket: self.socket.clone(), source: error }
            }
        })
    }

    fn explain(&self, error: io::Error) -> ClientError {
        if is_timeout(&error) {
            ClientError::Timeout { socket: self.socket.clone(), timeout: self.timeout }
        } else {
            ClientError::Disconnected(error)
        }
    }
}

/// Connects within the deadline: a service whose backlog is full keeps its clients waiting.
fn connect(socket: &Path, deadline: &Deadline) -> io::Result<UnixStream> {
    let address = SocketAddrUnix::new(socket)?;
    let flags = SocketFlags::CLOEXEC;
    let fd = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    loop {
        set_socket_timeout(&fd, Timeout::Send, Some(deadline.left()?))?;
        match rustix::net::connect(&fd, &address) {
            // A signal of the application; the kernel does not restart a connect with a timeout.
            Err(Errno::INTR) => {}
            result => return result.map(|()| UnixStream::from(fd)).map_err(io::Error::from),
        }
    }
}

/// One frame out, one frame in. The outer error is the connection's, the inner one the frame's.
fn exchange(
    stream: &mut UnixStream,
    frame: &[u8],
    deadline: &Deadline,
) -> io::Result<Result<Vec<u8>, FrameError>> {
    stream.set_write_timeout(Some(deadline.left()?))?;
    stream.write_all(frame)?;
    let mut header = [0; FRAME_HEADER_SIZE];
    read_exact(stream, &mut header, deadline)?;
    let size = match body_size(header, MAX_RESPONSE_SIZE) {
        Ok(size) => size,
        Err(error) => return Ok(Err(error)),
    };
    let mut message = vec![0; size];
    read_exact(stream, &mut message, deadline)?;
    Ok(Ok(message))
}

/// Fills the buffer before the deadline, in pieces of any size.
fn read_exact(stream: &mut UnixStream, buffer: &mut [u8], deadline: &Deadline) -> io::Result<()> {
    let mut rest = buffer;
    while !rest.is_empty() {
        stream.set_read_timeout(Some(deadline.left()?))?;
        match stream.read(rest) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(read) => rest = rest.get_mut(read..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock)
}

/// The deadline of one or more requests.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    fn after(time: Duration) -> Self {
        Self(Instant::now().checked_add(time))
    }

    /// The time left; `None` after the deadline.
    #[must_use]
    pub fn time_left(&self) -> Option<Duration> {
        let Some(end) = self.0 else { return Some(Client::DEFAULT_TIMEOUT) };
        end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }

    /// The time left, or an error of kind `TimedOut`.
    fn left(&self) -> io::Result<Duration> {
        self.time_left().ok_or_else(|| ErrorKind::TimedOut.into())
    }
}
