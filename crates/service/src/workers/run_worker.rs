//! The worker process: makes the requested quotes, one after the other.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use quoting::{Quoter, QuotingError};
use rustix::process::{Signal, set_parent_process_death_signal};

use super::message::{Messages, Reply, WorkerInfo, append_reply, parse_request};

const READ_SIZE: usize = 16 * 1024;

/// The longest time that a quote is held back to be sent together with the next one.
const MAX_HOLD_BACK: Duration = Duration::from_micros(200);

/// Opens a Quoter and makes quotes with it for the service at the other end of `socket`, until that
/// end is closed. The service is told if the Quoter cannot be opened.
///
/// # Errors
/// When the socket fails, or the service sends an invalid message.
pub fn run_worker(
    mut socket: UnixStream,
    open: impl FnOnce() -> Result<Box<dyn Quoter>, QuotingError>,
) -> io::Result<()> {
    // Foreign code that hangs does not notice the end of the service; the kernel does.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let quoter = match open().and_then(|quoter| Ok((info(&*quoter)?, quoter))) {
        Ok((info, quoter)) => {
            socket.write_all(&frame_of(&Reply::Ready(info)))?;
            quoter
        }
        Err(error) => return socket.write_all(&frame_of(&Reply::Failed(error))),
    };
    let mut messages = Messages::default();
    while receive(&mut socket, &mut messages)? {
        answer(&mut socket, &mut messages, &*quoter)?;
    }
    Ok(())
}

/// Answers the requests that have arrived, in one write if that does not take long.
fn answer(socket: &mut UnixStream, messages: &mut Messages, quoter: &dyn Quoter) -> io::Result<()> {
    let mut replies = Vec::new();
    let mut begin = Instant::now();
    while let Some(message) = messages.next().map_err(invalid)? {
        let request = parse_request(message).map_err(invalid)?;
        let reply = quoter.quote(&request).map_or_else(Reply::Failed, Reply::Quote);
        append_reply(&mut replies, &reply);
        if begin.elapsed() > MAX_HOLD_BACK {
            socket.write_all(&replies)?;
            replies.clear();
            begin = Instant::now();
        }
    }
    socket.write_all(&replies)
}

/// Initializes the attestation key, before a client waits for a quote.
fn info(quoter: &dyn Quoter) -> Result<WorkerInfo, QuotingError> {
    let key_id = sgx::AttestationKeyId::ecdsa_p256();
    let attestation_key = quoter.initialize(&key_id)?;
    Ok(WorkerInfo { attestation_key, quote_size: quoter.quote_size(&key_id)? })
}

fn frame_of(reply: &Reply) -> Vec<u8> {
    let mut frame = Vec::new();
    append_reply(&mut frame, reply);
    frame
}

/// Waits for bytes. False at the end of the stream.
fn receive(socket: &mut UnixStream, messages: &mut Messages) -> io::Result<bool> {
    let mut bytes = [0; READ_SIZE];
    loop {
        match socket.read(&mut bytes) {
            Ok(0) => return Ok(false),
            Ok(size) => {
                messages.received.extend_from_slice(bytes.get(..size).unwrap_or_default());
                return Ok(true);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error)
}
