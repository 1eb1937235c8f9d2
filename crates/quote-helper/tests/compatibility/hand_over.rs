//! The messages with which an instance of one release takes over from one of another.

use std::collections::BTreeSet;
use std::fs;

use sockets::handover::{Message, Nonces, Role, Secret};
use test_support::release::keeps_lines;

#[test]
fn messages_and_proofs_of_earlier_releases_stay() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secret");
    fs::write(&path, [7; 32]).unwrap();
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let secret = Secret::open(&path).unwrap();
    let nonces = Nonces { predecessor: [1; 32], successor: [2; 32] };
    let proof = |role| secret.prove(role, &nonces);
    let messages = [
        Message::Hello(nonces.successor),
        Message::Challenge(nonces.predecessor, proof(Role::Predecessor)),
        Message::HandOver(proof(Role::Successor)),
        sockets(),
        Message::Refused("busy".to_owned()),
        Message::Serving,
        Message::Ended,
    ];
    let name = |message: &Message| format!("{message:?}").split('(').next().unwrap().to_owned();
    let line = |message| format!("{} {}", name(message), hex::encode(message.to_frame()));
    let lines = messages.iter().map(line);
    keeps_lines("hand-over.txt", &lines.collect::<BTreeSet<_>>());
}

/// The message about the socket with device 3 and inode 4, kind 5.
fn sockets() -> Message {
    let mut frame = Message::Serving.to_frame();
    (frame[5], frame[8], frame[16]) = (5, 3, 4);
    Message::parse(&frame).unwrap()
}
