//! A process that asks for the sockets of a running instance, and does with them what it should
//! not. It has the secret; the protocol is written out once more, as docs/hand-over.md has it.

use std::io::{IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use aws_lc_rs::hmac;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, Shutdown, recvmsg, shutdown,
};

use crate::support::Machine;

const FRAME_SIZE: usize = 128;
const NONCE: [u8; 32] = [5; 32];

/// A successor that has the sockets, and has not said that it serves.
pub(crate) struct Attacker {
    pub(crate) stream: UnixStream,
    /// The applications' listening socket, and those of HTTP.
    pub(crate) listeners: Vec<OwnedFd>,
}

impl Attacker {
    /// Gets the sockets of the instance with the state directory `state`.
    #[track_caller]
    pub(crate) fn with_secret(machine: &Machine) -> Self {
        let mut stream = UnixStream::connect(machine.control()).unwrap();
        let challenge = ask(&mut stream, &frame(1, &NONCE, &[]));
        assert_eq!(challenge[5], 2, "a challenge");
        let label = &b"sgx-quote-helper hand-over 2 successor"[..];
        let key = hmac::Key::new(hmac::HMAC_SHA256, &machine.read("state/hand-over/secret"));
        let proof = hmac::sign(&key, &[label, &challenge[8..40], &NONCE].concat());
        stream.write_all(&frame(4, &[], proof.as_ref())).unwrap();
        let listeners = receive_sockets(&stream);
        Self { stream, listeners }
    }

    /// Has whoever accepts from these sockets wait for clients.
    pub(crate) fn make_blocking(&self) {
        for listener in &self.listeners {
            let flags = fcntl_getfl(listener).unwrap();
            fcntl_setfl(listener, flags.difference(OFlags::NONBLOCK)).unwrap();
        }
    }

    pub(crate) fn shut_down(&self) {
        for listener in &self.listeners {
            shutdown(listener, Shutdown::Both).unwrap();
        }
    }
}

fn frame(kind: u8, nonce: &[u8], proof: &[u8]) -> [u8; FRAME_SIZE] {
    let mut frame = [0; FRAME_SIZE];
    frame[..4].copy_from_slice(b"QHHO");
    (frame[4], frame[5]) = (2, kind);
    frame[8..][..nonce.len()].copy_from_slice(nonce);
    frame[40..][..proof.len()].copy_from_slice(proof);
    frame
}

fn ask(stream: &mut UnixStream, question: &[u8]) -> [u8; FRAME_SIZE] {
    stream.write_all(question).unwrap();
    let mut answer = [0; FRAME_SIZE];
    stream.read_exact(&mut answer).unwrap();
    answer
}

#[track_caller]
fn receive_sockets(stream: &UnixStream) -> Vec<OwnedFd> {
    let mut frame = [0; FRAME_SIZE];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC;
    recvmsg(stream, &mut [IoSliceMut::new(&mut frame)], &mut ancillary, flags).unwrap();
    assert_eq!(frame[5], 5, "sockets: {}", String::from_utf8_lossy(&frame[40..]));
    let rights = ancillary.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(rights) => Some(rights),
        _ => None,
    });
    rights.flatten().collect()
}
