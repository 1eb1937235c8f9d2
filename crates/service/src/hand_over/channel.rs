//! Messages and descriptors between two instances.

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
use crate::peer::Peer;

/// At most so many descriptors come with a message.
pub(super) const MAX_DESCRIPTORS: usize = 8;

const ANCILLARY_SIZE: usize = rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS));

/// A connection to the other instance.
#[derive(Debug)]
pub(super) struct Channel {
    stream: UnixStream,
    peer: Peer,
}

/// Why there is no hand-over.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("its backlog is full")]
    Busy,
    #[error("the connection was closed")]
    Closed,
    #[error("nothing was said for {0:?}")]
    Silent(Duration),
    #[error("its sockets are at this path no more")]
    Displaced,
    #[error("one of the two instances is of user {ours}, the other one of user {theirs}")]
    OtherUser { theirs: u32, ours: u32 },
    #[error("{0}")]
    Refused(String),
    #[error("what was said makes no sense at this point")]
    OutOfTurn,
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Channel {
    pub(super) fn new(stream: StdUnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Self::over(UnixStream::from_std(stream)?)
    }

    pub(super) fn over(stream: UnixStream) -> io::Result<Self> {
        let peer = Peer::at_the_end_of(&stream)?;
        Ok(Self { stream, peer })
    }

    pub(super) fn peer(&self) -> Peer {
        self.peer
    }

    /// Trusts those who run the service, and root, with its sockets.
    pub(super) fn check_peer(&self) -> Result<(), Trouble> {
        let (theirs, ours) = (self.peer.uid, rustix::process::geteuid().as_raw());
        if theirs == ours || theirs == 0 {
            return Ok(());
        }
        Err(Trouble::OtherUser { theirs, ours })
    }

    /// Sends a message with these descriptors. It fits into any socket's buffer as a whole.
    pub(super) async fn send(
        &self,
        message: &Message,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<(), Trouble> {
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
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Trouble::Closed),
            Err(error) => Err(error.into()),
        }
    }

    /// Receives a message, and the descriptors that came with it, within this time.
    pub(super) async fn receive(&self, time: Duration) -> Result<(Message, Vec<OwnedFd>), Trouble> {
        timeout(time, self.message()).await.unwrap_or(Err(Trouble::Silent(time)))
    }

    async fn message(&self) -> Result<(Message, Vec<OwnedFd>), Trouble> {
        let (mut frame, mut descriptors) = ([0; FRAME_SIZE], Vec::new());
        let mut rest = &mut frame[..];
        while !rest.is_empty() {
            let receive = || receive(&self.stream, rest, &mut descriptors);
            let size = match self.stream.async_io(Interest::READABLE, receive).await {
                Ok(0) => return Err(Trouble::Closed),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                    return Err(Trouble::Closed);
                }
                received => received?,
            };
            rest = rest.get_mut(size..).unwrap_or_default();
        }
        Ok((Message::parse(&frame)?, descriptors))
    }
}

fn receive(
    stream: &UnixStream,
    bytes: &mut [u8],
    descriptors: &mut Vec<OwnedFd>,
) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); ANCILLARY_SIZE];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
    let received = recvmsg(stream, &mut [IoSliceMut::new(bytes)], &mut ancillary, flags)?;
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = message {
            descriptors.extend(received);
        }
    }
    // Those that did not fit are closed already.
    if received.flags.contains(ReturnFlags::CTRUNC) || descriptors.len() > MAX_DESCRIPTORS {
        return Err(io::Error::other("there are too many descriptors"));
    }
    Ok(received.bytes)
}
