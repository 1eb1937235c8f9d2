//! The messages between two instances. Each is a frame of the same size:
//!
//! | bytes     |                                                                            |
//! |-----------|----------------------------------------------------------------------------|
//! | 0 – 3     | `QHHO`                                                                     |
//! | 4         | the version of what follows: 1                                             |
//! | 5         | the kind of the message                                                    |
//! | 6         | the bytes of the reason, 0 if there is none                                |
//! | 7         | 0                                                                          |
//! | 8 – 39    | device and inode of the socket's file and of the control socket's, or 0    |
//! | 40 – 127  | the reason, in UTF-8, and zeros                                            |
//!
//! Numbers are little-endian. The size, the first five bytes, and how to refuse, are for every version.

use zerocopy::little_endian::U64;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

use crate::bind::FileId;

/// The size of every message, in bytes.
pub const FRAME_SIZE: usize = size_of::<Frame>();

const MAGIC: [u8; 4] = *b"QHHO";
const VERSION: u8 = 1;
const REASON_SIZE: usize = 88;

/// What two instances say to each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// The new one asks for the sockets.
    HandOver,
    /// The old one gives them: the descriptors of the socket, of the control socket and of HTTP
    /// listeners come with this message.
    Sockets(Files),
    /// The old one keeps them, or wants them back, for this reason.
    Refused(String),
    /// The new one serves.
    Serving,
    /// The old one accepts no more clients.
    Ended,
}

/// The files of the socket and of the control socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Files(pub(crate) [FileId; 2]);

/// Why a frame is no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It has another size, or begins in another way.
    #[error("what was said is no message of a hand-over")]
    Foreign,
    /// It is of a version that is not known here.
    #[error(
        "one of the two instances speaks version {0} of the hand-over, the other one version 1"
    )]
    Version(u8),
    /// Something in it makes no sense.
    #[error("the message is damaged")]
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
    files: [[U64; 2]; 2],
    reason: [u8; REASON_SIZE],
}

impl Message {
    /// Reads a frame, from whomever it came.
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
            1 => Self::HandOver,
            2 => Self::Sockets(frame.files()),
            3 => Self::Refused(frame.reason().ok_or(Malformed::Damaged)?),
            4 => Self::Serving,
            5 => Self::Ended,
            _ => return Err(Malformed::Damaged),
        };
        let exact = message.to_frame() == *frame.as_bytes();
        exact.then_some(message).ok_or(Malformed::Damaged)
    }

    /// The frame of this message. A reason that is too long is cut.
    #[must_use]
    pub fn to_frame(&self) -> [u8; FRAME_SIZE] {
        let mut frame = Frame::new_zeroed();
        (frame.magic, frame.version) = (MAGIC, VERSION);
        frame.kind = match self {
            Self::HandOver => 1,
            Self::Sockets(Files(files)) => {
                frame.files = files.map(|file| [file.device.into(), file.inode.into()]);
                2
            }
            Self::Refused(reason) => {
                frame.set_reason(reason);
                3
            }
            Self::Serving => 4,
            Self::Ended => 5,
        };
        zerocopy::transmute!(frame)
    }
}

impl Frame {
    fn files(&self) -> Files {
        let file = |[device, inode]: [U64; 2]| FileId { device: device.get(), inode: inode.get() };
        Files(self.files.map(file))
    }

    /// The reason, if it can be shown to people.
    fn reason(&self) -> Option<String> {
        let reason = self.reason.get(..self.reason_size.into())?;
        let reason = str::from_utf8(reason).ok()?;
        (!reason.contains(char::is_control)).then(|| reason.to_owned())
    }

    fn set_reason(&mut self, reason: &str) {
        let ends = reason.char_indices().map(|(start, char)| start.saturating_add(char.len_utf8()));
        let size = ends.take_while(|end| *end <= REASON_SIZE).last().unwrap_or(0);
        for (to, from) in self.reason.iter_mut().zip(reason.bytes().take(size)) {
            *to = from;
            self.reason_size = self.reason_size.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn all() -> [Message; 5] {
        let [socket, control] = [1, 2].map(|inode| FileId { device: 3, inode });
        [
            Message::HandOver,
            Message::Sockets(Files([socket, control])),
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
    fn what_is_no_frame_is_said_to_be() {
        let frame = Message::HandOver.to_frame();
        assert_eq!(Message::parse(&frame[1..]), Err(Malformed::Foreign));
        assert_eq!(Message::parse(&[&frame[..], &[0]].concat()), Err(Malformed::Foreign));
        assert_eq!(Message::parse(&[0; FRAME_SIZE]), Err(Malformed::Foreign));
        let mut newer = frame;
        newer[4] = 2;
        assert_eq!(Message::parse(&newer), Err(Malformed::Version(2)));
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
