//! A TCP connection to an untrusted peer: messages have a size limit, waits a deadline.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// The largest message, in bytes. Quotes have some 5,000.
pub const MAX_FRAME: usize = 64 * 1024;

/// A connection for framed messages: length (4 bytes, little-endian), then the message.
#[derive(Debug)]
pub struct Channel {
    stream: TcpStream,
    timeout: Duration,
}

/// A failure to send or receive, after which the connection is unusable.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The peer announces a message over the limit; it was not read.
    #[error("the peer announces a message of {0} bytes; the limit is {MAX_FRAME}")]
    TooLarge(u32),
    /// The deadline has passed.
    #[error("the peer did not send or take a whole message within {0:?}")]
    Timeout(Duration),
    /// The peer has closed the connection.
    #[error("the peer closed the connection")]
    Closed,
    /// The connection failed.
    #[error("the connection failed: {0}")]
    Failed(#[source] io::Error),
}

impl Channel {
    /// A channel over a connection, with a timeout for each message.
    #[must_use]
    pub fn new(stream: TcpStream, timeout: Duration) -> Self {
        Self { stream, timeout }
    }

    /// Sends a message.
    ///
    /// # Errors
    /// [`ChannelError`].
    pub fn send(&mut self, message: &[u8]) -> Result<(), ChannelError> {
        let size = u32::try_from(message.len()).unwrap_or(u32::MAX);
        if message.len() > MAX_FRAME {
            return Err(ChannelError::TooLarge(size));
        }
        let frame = [&size.to_le_bytes()[..], message].concat();
        let begin = Instant::now();
        let mut rest = &frame[..];
        while !rest.is_empty() {
            let left = self.time_left(begin)?;
            self.stream.set_write_timeout(Some(left)).map_err(ChannelError::Failed)?;
            let written = self.transferred(|stream| stream.write(rest))?;
            rest = rest.get(written..).unwrap_or_default();
        }
        Ok(())
    }

    /// Receives a message.
    ///
    /// # Errors
    /// [`ChannelError`].
    pub fn receive(&mut self) -> Result<Vec<u8>, ChannelError> {
        self.receive_unless_closed()?.ok_or(ChannelError::Closed)
    }

    /// Receives a message; `None` if the peer has closed the connection after the last one.
    ///
    /// # Errors
    /// [`ChannelError`].
    pub fn receive_unless_closed(&mut self) -> Result<Option<Vec<u8>>, ChannelError> {
        let begin = Instant::now();
        let mut size = [0; 4];
        match self.fill(&mut size, begin)? {
            0 => return Ok(None),
            4 => {}
            _ => return Err(ChannelError::Closed),
        }
        let announced = u32::from_le_bytes(size);
        let size = usize::try_from(announced).unwrap_or(usize::MAX);
        if size > MAX_FRAME {
            return Err(ChannelError::TooLarge(announced));
        }
        let mut message = vec![0; size];
        match self.fill(&mut message, begin)? {
            whole if whole == size => Ok(Some(message)),
            _ => Err(ChannelError::Closed),
        }
    }

    /// Reads until the buffer is full or the connection is closed, and returns the number of bytes.
    fn fill(&mut self, buffer: &mut [u8], begin: Instant) -> Result<usize, ChannelError> {
        let mut filled = 0_usize;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            // Recomputed for each read, so that a slow peer cannot extend the deadline.
            let left = self.time_left(begin)?;
            self.stream.set_read_timeout(Some(left)).map_err(ChannelError::Failed)?;
            match self.transferred(|stream| stream.read(rest)) {
                Ok(read) => filled = filled.saturating_add(read),
                Err(ChannelError::Closed) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    /// The number of bytes that a read or write has transferred: at least one.
    fn transferred(
        &mut self,
        transfer: impl FnOnce(&mut TcpStream) -> io::Result<usize>,
    ) -> Result<usize, ChannelError> {
        match transfer(&mut self.stream) {
            Ok(0) => Err(ChannelError::Closed),
            Ok(bytes) => Ok(bytes),
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                    Err(ChannelError::Timeout(self.timeout))
                }
                ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => Err(ChannelError::Closed),
                _ => Err(ChannelError::Failed(error)),
            },
        }
    }

    fn time_left(&self, begin: Instant) -> Result<Duration, ChannelError> {
        let left = self.timeout.saturating_sub(begin.elapsed());
        if left.is_zero() { Err(ChannelError::Timeout(self.timeout)) } else { Ok(left) }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Both ends of a connection; one of them as a channel that waits this long.
    fn connected(timeout: Duration) -> (Channel, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (Channel::new(listener.accept().unwrap().0, timeout), peer)
    }

    /// The result of receiving these bytes and then the end of the connection.
    fn receive(bytes: &[u8]) -> Result<Option<Vec<u8>>, ChannelError> {
        let (mut channel, mut peer) = connected(Duration::from_secs(10));
        peer.write_all(bytes).unwrap();
        drop(peer);
        channel.receive_unless_closed()
    }

    #[test]
    fn messages_arrive_unchanged() {
        let (mut channel, peer) = connected(Duration::from_secs(10));
        let mut peer = Channel::new(peer, Duration::from_secs(10));
        let largest = vec![7; MAX_FRAME];
        let sent = largest.clone();
        let sender = thread::spawn(move || {
            for message in [b"hello", &b""[..], &sent] {
                peer.send(message).unwrap();
            }
        });
        for message in [b"hello", &b""[..], &largest] {
            assert_eq!(channel.receive().unwrap(), message);
        }
        sender.join().unwrap();
        assert!(matches!(channel.receive(), Err(ChannelError::Closed)));
    }

    #[test]
    fn a_closed_connection_is_noticed_at_any_point() {
        assert!(matches!(receive(b""), Ok(None)));
        for cut_short in [&b"\x05"[..], b"\x05\0\0", b"\x05\0\0\0", b"\x05\0\0\0hell"] {
            let received = receive(cut_short);
            assert!(matches!(received, Err(ChannelError::Closed)), "{received:?}");
        }
    }

    #[test]
    fn a_message_over_the_limit_is_neither_received_nor_sent() {
        for size in [MAX_FRAME as u32 + 1, u32::MAX] {
            let received = receive(&size.to_le_bytes());
            assert!(matches!(received, Err(ChannelError::TooLarge(_))), "{received:?}");
        }
        let (mut channel, _peer) = connected(Duration::from_secs(10));
        let sent = channel.send(&vec![0; MAX_FRAME + 1]);
        assert!(matches!(sent, Err(ChannelError::TooLarge(65537))), "{sent:?}");
    }

    #[test]
    fn a_silent_peer_times_out() {
        let (mut channel, _peer) = connected(Duration::from_millis(50));
        let received = channel.receive();
        assert!(matches!(received, Err(ChannelError::Timeout(_))), "{received:?}");
    }

    #[test]
    fn a_slow_peer_cannot_extend_the_deadline() {
        let (mut channel, mut peer) = connected(Duration::from_millis(100));
        let begin = Instant::now();
        thread::spawn(move || {
            peer.write_all(&1000_u32.to_le_bytes()).unwrap();
            while peer.write_all(b"a").is_ok() {
                thread::sleep(Duration::from_millis(20));
            }
        });
        let received = channel.receive();
        assert!(matches!(received, Err(ChannelError::Timeout(_))), "{received:?}");
        assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    }

    #[test]
    fn a_peer_that_reads_nothing_times_out() {
        let (mut channel, _peer) = connected(Duration::from_millis(50));
        let sent = (0..10_000).find_map(|_| channel.send(&[0; MAX_FRAME]).err());
        assert!(matches!(sent, Some(ChannelError::Timeout(_))), "{sent:?}");
    }
}
