//! What a worker does: it makes the quotes that it is asked for, one after the other.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use quoting::{Quoter, QuotingError};
use rustix::process::{Signal, set_parent_process_death_signal};

use super::message::{Messages, Offer, Reply, append_reply, parse_request};

const READ_SIZE: usize = 16 * 1024;

/// A quote that is made waits for the next one no longer than this.
const PROMPT: Duration = Duration::from_micros(200);

/// Opens a Quoter and makes quotes with it for the service at the other end of `socket`, until that end
/// is closed. A Quoter that cannot be opened is an error that the service is told.
///
/// # Errors
/// When the service cannot be reached any more, or sends something else than requests.
pub fn work(
    mut socket: UnixStream,
    open: impl FnOnce() -> Result<Box<dyn Quoter>, QuotingError>,
) -> io::Result<()> {
    // Foreign code that hangs does not see the service go; the kernel does.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let quoter = match open().and_then(|quoter| Ok((offer(&*quoter)?, quoter))) {
        Ok((offer, quoter)) => {
            socket.write_all(&frame_of(&Reply::Ready(offer)))?;
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

/// Answers what has been asked, in one write if that does not take long.
fn answer(socket: &mut UnixStream, messages: &mut Messages, quoter: &dyn Quoter) -> io::Result<()> {
    let mut replies = Vec::new();
    let mut begin = Instant::now();
    while let Some(message) = messages.next().map_err(invalid)? {
        let request = parse_request(message).map_err(invalid)?;
        let reply = quoter.quote(&request).map_or_else(Reply::Failed, Reply::Quote);
        append_reply(&mut replies, &reply);
        if begin.elapsed() > PROMPT {
            socket.write_all(&replies)?;
            replies.clear();
            begin = Instant::now();
        }
    }
    socket.write_all(&replies)
}

/// Has the attestation key made ready, before anybody waits for a quote.
fn offer(quoter: &dyn Quoter) -> Result<Offer, QuotingError> {
    let key_id = sgx::AttestationKeyId::ecdsa_p256();
    let attestation_key = quoter.initialize(&key_id)?;
    Ok(Offer { attestation_key, quote_size: quoter.quote_size(&key_id)? })
}

fn frame_of(reply: &Reply) -> Vec<u8> {
    let mut frame = Vec::new();
    append_reply(&mut frame, reply);
    frame
}

/// Says whether there was something.
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
