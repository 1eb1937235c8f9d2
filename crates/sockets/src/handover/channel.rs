//! Messages and descriptors between two instances, and the proof that both have the same secret.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::time::Duration;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::message::{FRAME_SIZE, Malformed, Message};
use super::secret::{self, Nonces, Role, Secret};
use crate::peer::Peer;

/// The maximum number of descriptors of a message.
pub(super) const MAX_DESCRIPTORS: usize = 8;

const ANCILLARY_SIZE: usize = rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS));

/// A connection to the other instance.
#[derive(Debug)]
pub(crate) struct Channel {
    stream: UnixStream,
    peer: Peer,
}

/// The failure of a hand-over.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HandoverError {
    #[error("its backlog is full")]
    Busy,
    #[error("the connection was closed")]
    Closed,
    #[error("no message for {0:?}")]
    Silent(Duration),
    #[error("its socket was removed or replaced")]
    SocketReplaced,
    #[error("the two instances have different secrets in their state directories")]
    OtherSecret,
    #[error("{0}")]
    Refused(String),
    #[error("an unexpected message")]
    UnexpectedMessage,
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Channel {
    pub(super) fn from_std(stream: StdUnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Self::new(UnixStream::from_std(stream)?)
    }

    pub(super) fn new(stream: UnixStream) -> io::Result<Self> {
        Ok(Self { peer: Peer::of(&stream)?, stream })
    }

    pub(super) fn peer(&self) -> Peer {
        self.peer
    }

    /// Asks for the sockets as the starting instance: verifies that the running one has this
    /// secret, and proves the same.
    pub(super) async fn ask_for_sockets(
        &self,
        secret: &Secret,
        time: Duration,
    ) -> Result<(), HandoverError> {
        let ours = secret::nonce()?;
        self.send(&Message::Hello(ours), &[]).await?;
        let (theirs, proof) = match self.receive(time).await? {
            Message::Challenge(nonce, proof) => (nonce, proof),
            Message::Refused(reason) => return Err(HandoverError::Refused(reason)),
            _ => return Err(HandoverError::UnexpectedMessage),
        };
        let nonces = Nonces { predecessor: theirs, successor: ours };
        if !secret.verifies(Role::Predecessor, &nonces, &proof) {
            return Err(HandoverError::OtherSecret);
        }
        self.send(&Message::HandOver(secret.prove(Role::Successor, &nonces)), &[]).await
    }

    /// Verifies, as the running instance, that the peer has this secret and asks for the sockets.
    pub(super) async fn check_request(
        &self,
        secret: &Secret,
        time: Duration,
    ) -> Result<(), HandoverError> {
        let Message::Hello(theirs) = self.receive(time).await? else {
            return Err(HandoverError::UnexpectedMessage);
        };
        let nonces = Nonces { predecessor: secret::nonce()?, successor: theirs };
        let proof = secret.prove(Role::Predecessor, &nonces);
        self.send(&Message::Challenge(nonces.predecessor, proof), &[]).await?;
        let Message::HandOver(proof) = self.receive(time).await? else {
            return Err(HandoverError::UnexpectedMessage);
        };
        let is_known = secret.verifies(Role::Successor, &nonces, &proof);
        is_known.then_some(()).ok_or(HandoverError::OtherSecret)
    }

    /// Sends a message with these descriptors. A frame fits into every socket's buffer.
    pub(super) async fn send(
        &self,
        message: &Message,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<(), HandoverError> {
        let frame = message.to_frame();
        let send = || {
            let mut space = [MaybeUninit::uninit(); ANCILLARY_SIZE];
            let mut ancillary = SendAncillaryBuffer::new(&mut space);
            let rights = SendAncillaryMessage::ScmRights(descriptors);
            if !descriptors.is_empty() && !ancillary.push(rights) {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
            Ok(sendmsg(&self.stream, &[IoSlice::new(&frame)], &mut ancillary, flags)?)
        };
        match self.stream.async_io(Interest::WRITABLE, send).await {
            Ok(FRAME_SIZE) => Ok(()),
            Ok(_) => Err(io::Error::from(io::ErrorKind::WriteZero).into()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(HandoverError::Closed),
            Err(error) => Err(error.into()),
        }
    }

    /// Receives a message within this time. Descriptors with it are an error.
    pub(super) async fn receive(&self, time: Duration) -> Result<Message, HandoverError> {
        let mut none = Vec::new();
        let message = self.message::<0>(&mut none);
        timeout(time, message).await.unwrap_or(Err(HandoverError::Silent(time)))
    }

    /// Receives a message and its descriptors within this time.
    pub(super) async fn receive_with_descriptors(
        &self,
        time: Duration,
    ) -> Result<(Message, Vec<OwnedFd>), HandoverError> {
        let mut descriptors = Vec::new();
        let message = self.message::<ANCILLARY_SIZE>(&mut descriptors);
        let message = timeout(time, message).await.unwrap_or(Err(HandoverError::Silent(time)))?;
        Ok((message, descriptors))
    }

    /// Receives a message; `ROOM` is the size, in bytes, of the buffer for its descriptors.
    async fn message<const ROOM: usize>(
        &self,
        descriptors: &mut Vec<OwnedFd>,
    ) -> Result<Message, HandoverError> {
        let mut frame = [0; FRAME_SIZE];
        let mut rest = &mut frame[..];
        while !rest.is_empty() {
            let receive = || receive::<ROOM>(&self.stream, rest, descriptors);
            let size = match self.stream.async_io(Interest::READABLE, receive).await {
                Ok(0) => return Err(HandoverError::Closed),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                    return Err(HandoverError::Closed);
                }
                received => received?,
            };
            rest = rest.get_mut(size..).unwrap_or_default();
        }
        Ok(Message::parse(&frame)?)
    }
}

fn receive<const ROOM: usize>(
    stream: &UnixStream,
    bytes: &mut [u8],
    descriptors: &mut Vec<OwnedFd>,
) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); ROOM];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
    let received = recvmsg(stream, &mut [IoSliceMut::new(bytes)], &mut ancillary, flags)?;
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = message {
            descriptors.extend(received);
        }
    }
    // The kernel has closed those that did not fit.
    if received.flags.contains(ReturnFlags::CTRUNC) || descriptors.len() > MAX_DESCRIPTORS {
        return Err(io::Error::other("too many descriptors"));
    }
    Ok(received.bytes)
}
