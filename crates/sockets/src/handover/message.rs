//! The messages between two instances. Each is a frame of the same size:
//!
//! | bytes     |                                                                            |
//! |-----------|----------------------------------------------------------------------------|
//! | 0 – 3     | `QHHO`                                                                     |
//! | 4         | the version of what follows: 2                                             |
//! | 5         | the kind of the message                                                    |
//! | 6         | the bytes of the reason, 0 if there is none                                |
//! | 7         | 0                                                                          |
//! | 8 – 39    | a nonce; or device and inode of the socket's file, and zeros; or zeros     |
//! | 40 – 127  | a proof of 32 bytes, and zeros; or the reason in UTF-8, and zeros; or zeros |
//!
//! Numbers are little-endian. All versions share the size, the first five bytes and the refusal.

use zerocopy::little_endian::U64;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

use super::secret::{Nonce, Proof};
use crate::socket_file::FileId;

/// The size of every message, in bytes.
pub const FRAME_SIZE: usize = size_of::<Frame>();

const MAGIC: [u8; 4] = *b"QHHO";
const VERSION: u8 = 2;
const REASON_SIZE: usize = 88;
const UNUSED_BY_PROOF: usize = REASON_SIZE - size_of::<Proof>();

/// A message from one instance to the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// The new one begins, with its nonce.
    Hello(Nonce),
    /// The old one sends its nonce, and proves that it has the secret.
    Challenge(Nonce, Proof),
    /// The new one proves that it has the secret, and asks for the sockets.
    HandOver(Proof),
    /// The old one sends the descriptors of the socket with this file and of HTTP listeners.
    Sockets(FileId),
    /// The old one keeps its sockets, for this reason.
    Refused(String),
    /// The new one serves.
    Serving,
    /// The old one accepts no more clients.
    Ended,
}

/// A frame is not a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Its size or its first bytes are wrong.
    #[error("not a message of a hand-over")]
    Foreign,
    /// Its version is unknown.
    #[error("the other instance has version {0} of the hand-over, this one version {VERSION}")]
    Version(u8),
    /// A field is invalid.
    #[error("a damaged message")]
    Damaged,
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
struct Frame {
    magic: [u8; 4],
    version: u8,
    kind: u8,
    reason_size: u8,
    reserved: u8,
    nonce_or_file: [u8; 32],
    proof_or_reason: [u8; REASON_SIZE],
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
struct FileField {
    device: U64,
    inode: U64,
    unused: [u8; 16],
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
struct ProofField {
    proof: Proof,
    unused: [u8; UNUSED_BY_PROOF],
}

impl Message {
    /// Parses a frame of an untrusted peer.
    ///
    /// # Errors
    /// [`Malformed`], for everything that [`Message::to_frame`] does not make.
    pub fn parse(frame: &[u8]) -> Result<Self, Malformed> {
        let frame = Frame::ref_from_bytes(frame).map_err(|_| Malformed::Foreign)?;
        if frame.magic != MAGIC {
            return Err(Malformed::Foreign);
        }
        if frame.version != VERSION {
            return Err(Malformed::Version(frame.version));
        }
        let message = match frame.kind {
            1 => Self::Hello(frame.nonce_or_file),
            2 => Self::Challenge(frame.nonce_or_file, frame.proof()),
            3 => Self::Refused(frame.reason().ok_or(Malformed::Damaged)?),
            4 => Self::HandOver(frame.proof()),
            5 => Self::Sockets(frame.file()),
            6 => Self::Serving,
            7 => Self::Ended,
            _ => return Err(Malformed::Damaged),
        };
        let exact = message.to_frame() == *frame.as_bytes();
        exact.then_some(message).ok_or(Malformed::Damaged)
    }

    /// The frame of this message. A long reason is cut.
    #[must_use]
    pub fn to_frame(&self) -> [u8; FRAME_SIZE] {
        let mut frame = Frame::new_zeroed();
        (frame.magic, frame.version, frame.kind) = (MAGIC, VERSION, self.kind());
        match self {
            Self::Hello(nonce) => frame.nonce_or_file = *nonce,
            Self::Challenge(nonce, proof) => {
                frame.nonce_or_file = *nonce;
                frame.set_proof(*proof);
            }
            Self::HandOver(proof) => frame.set_proof(*proof),
            Self::Sockets(file) => frame.set_file(*file),
            Self::Refused(reason) => frame.set_reason(reason),
            Self::Serving | Self::Ended => {}
        }
        zerocopy::transmute!(frame)
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Hello(_) => 1,
            Self::Challenge(..) => 2,
            Self::Refused(_) => 3,
            Self::HandOver(_) => 4,
            Self::Sockets(_) => 5,
            Self::Serving => 6,
            Self::Ended => 7,
        }
    }
}

impl Frame {
    fn proof(&self) -> Proof {
        let ProofField { proof, .. } = zerocopy::transmute!(self.proof_or_reason);
        proof
    }

    fn set_proof(&mut self, proof: Proof) {
        let field = ProofField { proof, unused: [0; UNUSED_BY_PROOF] };
        self.proof_or_reason = zerocopy::transmute!(field);
    }

    fn file(&self) -> FileId {
        let FileField { device, inode, .. } = zerocopy::transmute!(self.nonce_or_file);
        FileId { device: device.get(), inode: inode.get() }
    }

    fn set_file(&mut self, file: FileId) {
        let (device, inode) = (file.device.into(), file.inode.into());
        self.nonce_or_file = zerocopy::transmute!(FileField { device, inode, unused: [0; 16] });
    }

    /// The reason, if it is printable.
    fn reason(&self) -> Option<String> {
        let reason = self.proof_or_reason.get(..self.reason_size.into())?;
        let reason = str::from_utf8(reason).ok()?;
        (!reason.contains(char::is_control)).then(|| reason.to_owned())
    }

    fn set_reason(&mut self, reason: &str) {
        let ends = reason.char_indices().map(|(start, char)| start.saturating_add(char.len_utf8()));
        let size = ends.take_while(|end| *end <= REASON_SIZE).last().unwrap_or(0);
        for (to, from) in self.proof_or_reason.iter_mut().zip(reason.bytes().take(size)) {
            *to = from;
            self.reason_size = self.reason_size.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn all() -> [Message; 7] {
        let (nonce, proof) = ([3; 32], [4; 32]);
        [
            Message::Hello(nonce),
            Message::Challenge(nonce, proof),
            Message::HandOver(proof),
            Message::Sockets(FileId { device: 3, inode: 1 }),
            Message::Refused("another instance is taking over".to_owned()),
            Message::Serving,
            Message::Ended,
        ]
    }

    #[test]
    fn messages_survive_their_frames() {
        assert_eq!(FRAME_SIZE, 128);
        for message in all() {
            assert_eq!(Message::parse(&message.to_frame()), Ok(message));
        }
    }

    #[test]
    fn each_changed_bit_is_noticed_or_part_of_the_message() {
        for message in all() {
            for bit in 0..FRAME_SIZE * 8 {
                let mut frame = message.to_frame();
                frame[bit / 8] ^= 1 << (bit % 8);
                assert_ne!(Message::parse(&frame), Ok(message.clone()), "{message:?}, bit {bit}");
            }
        }
    }

    #[test]
    fn invalid_frames_are_reported() {
        let frame = Message::Serving.to_frame();
        assert_eq!(Message::parse(&frame[1..]), Err(Malformed::Foreign));
        assert_eq!(Message::parse(&[&frame[..], &[0]].concat()), Err(Malformed::Foreign));
        assert_eq!(Message::parse(&[0; FRAME_SIZE]), Err(Malformed::Foreign));
        let mut newer = frame;
        newer[4] = 3;
        assert_eq!(Message::parse(&newer), Err(Malformed::Version(3)));
        let mut control = Message::Refused("\u{1b}[2J".to_owned()).to_frame();
        assert_eq!(Message::parse(&control), Err(Malformed::Damaged));
        control[6] = 255;
        assert_eq!(Message::parse(&control), Err(Malformed::Damaged));
    }

    #[test]
    fn a_reason_that_is_too_long_is_cut_between_characters() {
        let long = Message::Refused("ä".repeat(100));
        assert_eq!(Message::parse(&long.to_frame()), Ok(Message::Refused("ä".repeat(44))));
        let odd = Message::Refused(format!("a{}", "ä".repeat(100)));
        let cut = Message::Refused(format!("a{}", "ä".repeat(43)));
        assert_eq!(Message::parse(&odd.to_frame()), Ok(cut));
    }
}
