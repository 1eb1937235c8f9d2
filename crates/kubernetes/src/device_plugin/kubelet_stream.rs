//! A connection from the kubelet, whose old versions name their server in a way that is not served.
//!
//! Kubelets before Kubernetes 1.26 send the path of the plugin's socket as HTTP/2's `:authority`. A slash
//! cannot be in an authority (RFC 3986, section 3.2), and h2, on which tonic is built, resets each such
//! request. Nobody here reads the authority, so it is enough that each `/` in it arrives as `-`.
//!
//! HPACK (RFC 7541) lets that be done to the bytes, with no header decoded: it codes strings by a fixed
//! Huffman code, in which both characters have six bits. The string keeps its length, coded and decoded,
//! and the server's dynamic table gets an entry of the size that the client reckons with, so that later
//! requests can refer to it.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Read};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;
use tonic::transport::server::Connected;

/// Bytes of what an HTTP/2 client sends before its first frame (RFC 9113, section 3.4).
const PREFACE_SIZE: usize = 24;
/// Bytes before a frame's payload: its length in 3, its type in 1, its flags in 1, its stream in 4.
const FRAME_HEADER_SIZE: usize = 9;
/// The longest payload that a client may send to a server that, as tonic's, allows no more.
const MAX_PAYLOAD: usize = 16_384;
/// The type of a frame that begins a request. A longer list of headers goes on in other frames, yet no
/// kubelet has so many, and `:authority` is among the first.
const HEADERS: u8 = 1;

/// How HPACK begins an `:authority` that is to be put into the dynamic table. So Go does with each that
/// is not larger than the table.
const AUTHORITY: u8 = 0x41;
/// The bit of a string's length octet that tells of Huffman code. Go uses it where it is shorter, as it
/// is for these paths.
const HUFFMAN: u8 = 0x80;
/// `/var/lib/kubelet/device-plugins/` in Huffman code. The path is fixed in the kubelet, and happens to
/// fill its last byte.
const PATH: [u8; 23] = [
    0x63, 0xb8, 0xec, 0x62, 0x83, 0x46, 0xc7, 0x5b, 0x63, 0x2d, 0x05, 0x4b, 0x12, 0x17, 0xb9, 0x88,
    0x55, 0xab, 0xa2, 0xd9, 0x8d, 0x52, 0x18,
];
/// `-var-lib-kubelet-device-plugins-` in Huffman code.
const NAME: [u8; PATH.len()] = [
    0x5b, 0xb8, 0xec, 0x5a, 0x83, 0x46, 0xb7, 0x5b, 0x63, 0x2d, 0x05, 0x4a, 0xd2, 0x17, 0xb9, 0x88,
    0x55, 0xab, 0xa2, 0xd9, 0x8d, 0x52, 0x16,
];

/// Bytes of what is looked for: the beginning of an `:authority`, the string's length octet, the path.
const PATTERN_SIZE: usize = 1 + 1 + PATH.len();

/// A kubelet's connection, of any version. A frame of headers that the kubelet breaks off is not read.
pub(super) struct KubeletStream {
    stream: UnixStream,
    rewriter: Rewriter,
}

impl KubeletStream {
    /// The connection, of which nothing has been read yet.
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

/// Follows the frames that a client sends. It holds back a frame's header and a HEADERS frame until they
/// are complete, which is no earlier than a server can do anything with them.
struct Rewriter {
    /// Bytes to come that pass as they are: of the preface, or of a frame's payload.
    passing: usize,
    /// The frame that is held back, as far as it has come.
    frame: Vec<u8>,
    /// What the server may read.
    ready: VecDeque<u8>,
}

impl Rewriter {
    /// At the beginning of a connection.
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

/// Replaces a path in `:authority` by a name. What is looked for is 200 bits long, of which the length
/// alone is free: it is nowhere else in a request by chance. Where a client puts it on purpose, it spoils
/// a header of its own request.
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
