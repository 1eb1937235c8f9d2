//! One request and its reply, as a client writes and reads them.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;

use aesm::{Client, ClientError, Deadline, FRAME_HEADER_SIZE, FrameError, MAX_RESPONSE_SIZE};

use crate::flow::{Flow, ReplyRead, RequestWrite};

/// The reason why a client gets no message.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExchangeError {
    #[error("cannot connect: {0}")]
    Connect(io::Error),
    #[error("no connection was accepted in time")]
    Backlog,
    #[error("the service reads no request: {0}")]
    Write(io::Error),
    #[error("no reply in time")]
    Silent,
    #[error("the reply stopped after {read} of {size} bytes")]
    Stalled { read: usize, size: usize },
    #[error("the service closed the connection without a reply")]
    Closed,
    #[error("the service closed the connection after {read} of {size} bytes of the reply")]
    CutShort { read: usize, size: usize },
    #[error(
        "the reply came in pieces, the first one of {read} of {size} bytes; it crashes this client"
    )]
    Pieces { read: usize, size: usize },
    #[error("{0}")]
    Frame(#[from] FrameError),
    #[error("cannot read the reply: {0}")]
    Read(io::Error),
}

/// Sends a frame over a new connection, and returns the message of the reply.
pub(crate) fn exchange(
    client: &Client,
    flow: &Flow,
    frame: &[u8],
) -> Result<Vec<u8>, ExchangeError> {
    let deadline = client.deadline();
    let mut stream = client.connect(&deadline).map_err(|error| match error {
        ClientError::Connect { source, .. } => ExchangeError::Connect(source),
        _ => ExchangeError::Backlog,
    })?;
    write(&mut stream, flow.write, frame, &deadline).map_err(ExchangeError::Write)?;
    let mut header = [0; FRAME_HEADER_SIZE];
    read_all(&mut stream, &mut header, &deadline)?;
    let mut message = vec![0; aesm::body_size(header, MAX_RESPONSE_SIZE)?];
    match flow.read {
        ReplyRead::InPieces => read_all(&mut stream, &mut message, &deadline)?,
        ReplyRead::MessageAtOnce => {
            let size = message.len();
            match read_some(&mut stream, &mut message, &deadline)? {
                0 => return Err(ExchangeError::CutShort { read: 0, size }),
                read if read < size => return Err(ExchangeError::Pieces { read, size }),
                _ => {}
            }
        }
    }
    Ok(message)
}

fn write(
    stream: &mut UnixStream,
    how: RequestWrite,
    frame: &[u8],
    deadline: &Deadline,
) -> io::Result<()> {
    let time_left = deadline.time_left().ok_or(ErrorKind::TimedOut)?;
    stream.set_write_timeout(Some(time_left))?;
    match how {
        RequestWrite::AtOnce => stream.write_all(frame),
        RequestWrite::LengthFirst => {
            let (length, message) = frame.split_at(FRAME_HEADER_SIZE.min(frame.len()));
            stream.write_all(length)?;
            stream.write_all(message)
        }
    }
}

/// Fills the buffer, in pieces of any size.
fn read_all(
    stream: &mut UnixStream,
    buffer: &mut [u8],
    deadline: &Deadline,
) -> Result<(), ExchangeError> {
    let size = buffer.len();
    let mut read = 0_usize;
    while read < size {
        let rest = buffer.get_mut(read..).unwrap_or_default();
        let more = match read_some(stream, rest, deadline) {
            Err(ExchangeError::Silent) if read > 0 => {
                return Err(ExchangeError::Stalled { read, size });
            }
            more => more?,
        };
        match (read, more) {
            (0, 0) if size == FRAME_HEADER_SIZE => return Err(ExchangeError::Closed),
            (read, 0) => return Err(ExchangeError::CutShort { read, size }),
            _ => read = read.saturating_add(more),
        }
    }
    Ok(())
}

/// Reads once; 0 at the end.
fn read_some(
    stream: &mut UnixStream,
    buffer: &mut [u8],
    deadline: &Deadline,
) -> Result<usize, ExchangeError> {
    loop {
        let time_left = deadline.time_left().ok_or(ExchangeError::Silent)?;
        stream.set_read_timeout(Some(time_left)).map_err(ExchangeError::Read)?;
        return match stream.read(buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Err(ExchangeError::Silent)
            }
            // A service that closes with unread bytes resets the connection.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(0),
            read => read.map_err(ExchangeError::Read),
        };
    }
}
