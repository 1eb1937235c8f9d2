//! The AESM wire: what clients and the quote service say to each other over a Unix stream socket.
//!
//! A frame is a length, 4 bytes little-endian, and a message in the proto2 encoding. A request is a
//! message with one sub-message, whose field number tells the operation; the reply holds the
//! sub-message with the same number. [`Request`] and [`Response`] are these messages as values;
//! nothing of the encoding shows outside of this crate. [`Client`] sends one and reads the other.
//!
//! Byte strings stay byte strings here: whether 432 bytes make a REPORT is for the service to say.

mod client;
mod frame;
mod request;
mod response;
mod wire;

pub use client::{Client, ClientError, Deadline};
pub use frame::{FRAME_HEADER_SIZE, FrameError, MAX_REQUEST_SIZE, MAX_RESPONSE_SIZE, body_size};
pub use request::{Operation, Request, RequestError};
pub use response::{Payload, Response, ResponseError};
