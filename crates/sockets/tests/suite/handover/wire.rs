//! Messages of a hand-over, as either side sends and reads them.

use std::io::{IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use sockets::handover::{FRAME_SIZE, Message, Nonces, Role, Secret};

pub(super) fn read(stream: &mut UnixStream) -> Message {
    let mut frame = [0; FRAME_SIZE];
    stream.read_exact(&mut frame).unwrap();
    Message::parse(&frame).unwrap()
}

pub(super) fn say(stream: &mut UnixStream, message: &Message) {
    stream.write_all(&message.to_frame()).unwrap();
}

/// Requests the sockets with a proof by this secret, and returns the reply.
pub(super) fn ask(peer: &mut UnixStream, secret: &Secret) -> Message {
    let successor = [5; 32];
    say(peer, &Message::Hello(successor));
    let challenge = read(peer);
    let Message::Challenge(predecessor, _) = challenge else { panic!("{challenge:?}") };
    let proof = secret.prove(Role::Successor, &Nonces { predecessor, successor });
    say(peer, &Message::HandOver(proof));
    read(peer)
}

/// Plays the running instance with this secret, up to the successor's request.
pub(super) fn let_ask(stream: &mut UnixStream, secret: &Secret) {
    let hello = read(stream);
    let Message::Hello(successor) = hello else { panic!("{hello:?}") };
    let predecessor = [6; 32];
    let proof = secret.prove(Role::Predecessor, &Nonces { predecessor, successor });
    say(stream, &Message::Challenge(predecessor, proof));
    assert!(matches!(read(stream), Message::HandOver(_)));
}

pub(super) fn say_with(stream: &UnixStream, message: &Message, descriptors: &[BorrowedFd<'_>]) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(20))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    assert!(ancillary.push(SendAncillaryMessage::ScmRights(descriptors)));
    let frame = message.to_frame();
    sendmsg(stream, &[IoSlice::new(&frame)], &mut ancillary, SendFlags::empty()).unwrap();
}
