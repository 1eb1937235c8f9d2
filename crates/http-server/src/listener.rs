//! Listening sockets.

use std::future::Future;
use std::io;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use crate::peer::Peer;

/// A socket that listens: a TCP port, or a Unix socket.
pub trait Listener: Send + 'static {
    /// A connection to it.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Accepts a connection, and returns its peer. Cancel-safe: no connection is lost.
    ///
    /// # Errors
    /// Those of the system, for instance that there are no more descriptors.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Stream, Peer)>> + Send;
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<(TcpStream, Peer)> {
        let (stream, address) = self.accept().await?;
        Ok((stream, address.into()))
    }
}

impl Listener for UnixListener {
    type Stream = UnixStream;

    async fn accept(&self) -> io::Result<(UnixStream, Peer)> {
        let stream = self.accept().await?.0;
        let peer = Peer::User(stream.peer_cred()?.uid());
        Ok((stream, peer))
    }
}
