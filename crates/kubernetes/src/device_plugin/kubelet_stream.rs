//! Connections from kubelets, with the invalid `:authority` of old versions replaced.
//!
//! Kubelets before Kubernetes 1.26 send the path of the plugin's socket as HTTP/2's `:authority`.
//! An authority cannot contain a slash (RFC 3986, section 3.2), and h2, below tonic, resets such
//! requests. The server does not use the authority, so each `/` in it is replaced by `-`.
//!
//! HPACK (RFC 7541) allows this without decoding: its fixed Huffman code has six bits for either
//! character. The string keeps its encoded and decoded length, and the server's dynamic table gets
//! an entry of the size that the client expects, so that later requests can refer to it.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Read};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;
use tonic::transport::server::Connected;

/// Bytes that an HTTP/2 client sends before its first frame (RFC 9113, section 3.4).
const PREFACE_SIZE: usize = 24;
/// Bytes before a frame's payload: length (3), type (1), flags (1), stream (4).
const FRAME_HEADER_SIZE: usize = 9;
/// The default maximum of a frame's payload, which tonic keeps.
const MAX_PAYLOAD: usize = 16_384;
/// The type of a frame that begins a request. CONTINUATION frames are ignored: no kubelet sends
/// that many headers, and `:authority` is among the first.
const HEADERS: u8 = 1;

/// HPACK's prefix of an `:authority` with incremental indexing, as Go sends it if it fits into the
/// table.
const AUTHORITY: u8 = 0x41;
/// The flag of a string's length octet for Huffman code. Go uses it where it is shorter, as it is
/// for these paths.
const HUFFMAN: u8 = 0x80;
/// `/var/lib/kubelet/device-plugins/` in Huffman code; it happens to end at a byte boundary.
const PATH: [u8; 23] = [
    0x63, 0xb8, 0xec, 0x62, 0x83, 0x46, 0xc7, 0x5b, 0x63, 0x2d, 0x05, 0x4b, 0x12, 0x17, 0xb9, 0x88,
    0x55, 0xab, 0xa2, 0xd9, 0x8d, 0x52, 0x18,
];
/// `-var-lib-kubelet-device-plugins-` in Huffman code.
const NAME: [u8; PATH.len()] = [
    0x5b, 0xb8, 0xec, 0x5a, 0x83, 0x46, 0xb7, 0x5b, 0x63, 0x2d, 0x05, 0x4a, 0xd2, 0x17, 0xb9, 0x88,
    0x55, 0xab, 0xa2, 0xd9, 0x8d, 0x52, 0x16,
];

/// Bytes of the searched pattern: prefix, length octet, path.
const PATTERN_SIZE: usize = 1 + 1 + PATH.len();

/// A connection of a kubelet of any version.
pub(super) struct KubeletStream {
    stream: UnixStream,
    rewriter: Rewriter,
}

impl KubeletStream {
    /// Wraps a connection of which nothing was read yet.
    pub(super) fn new(stream: UnixStream) -> Self {
        Self { stream, rewriter: Rewriter::new() }
    }
}

impl AsyncRead for KubeletStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { stream, rewriter } = self.get_mut();
        while rewriter.ready.is_empty() {
            let mut bytes = [0; 4096];
            let mut received = ReadBuf::new(&mut bytes);
            ready!(Pin::new(&mut *stream).poll_read(context, &mut received))?;
            if received.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            received.filled().iter().for_each(|byte| rewriter.take(*byte));
        }
        let length = rewriter.ready.read(buffer.initialize_unfilled())?;
        buffer.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for KubeletStream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

impl Connected for KubeletStream {
    type ConnectInfo = <UnixStream as Connected>::ConnectInfo;

    fn connect_info(&self) -> Self::ConnectInfo {
        self.stream.connect_info()
    }
}

/// Follows the client's frames. It holds back frame headers and HEADERS frames until they are
/// complete; a server cannot use them earlier.
struct Rewriter {
    /// Bytes to pass unchanged: of the preface, or of a frame's payload.
    passing: usize,
    /// The frame that is held back, as far as it was received.
    frame: Vec<u8>,
    /// Bytes that the server may read.
    ready: VecDeque<u8>,
}

impl Rewriter {
    /// The state at the start of a connection.
    fn new() -> Self {
        Self { passing: PREFACE_SIZE, frame: Vec::new(), ready: VecDeque::new() }
    }

    /// Takes the client's next byte.
    fn take(&mut self, byte: u8) {
        if let Some(passing) = self.passing.checked_sub(1) {
            self.passing = passing;
            self.ready.push_back(byte);
            return;
        }
        self.frame.push(byte);
        let frame = self.frame.split_first_chunk_mut::<FRAME_HEADER_SIZE>();
        let Some(([high, middle, low, frame_type, ..], payload)) = frame else { return };
        let length = u32::from_be_bytes([0, *high, *middle, *low]) as usize;
        if *frame_type != HEADERS || length > MAX_PAYLOAD {
            self.passing = length;
        } else if payload.len() < length {
            return;
        } else {
            replace_authority(payload);
        }
        self.ready.extend(self.frame.drain(..));
    }
}

/// Replaces a path in `:authority`. The pattern has 200 bits, all fixed but the length, so a false
/// match does not occur by chance; a client that forges one spoils its own request.
fn replace_authority(headers: &mut [u8]) {
    let authority = headers.windows(PATTERN_SIZE).position(|field| {
        matches!(field, [AUTHORITY, length, path @ ..] if length & HUFFMAN != 0 && *path == PATH)
    });
    if let Some(authority) = authority {
        let path = headers.iter_mut().skip(authority).skip(2);
        path.zip(NAME).for_each(|(byte, new)| *byte = new);
    }
}

#[cfg(test)]
mod tests;
