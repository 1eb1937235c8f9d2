//! The AESM protocol between clients and the quote service, over a Unix stream socket.
//!
//! A frame is a length, 4 bytes little-endian, and a message in the proto2 encoding. A request is a
//! message with one sub-message, whose field number is that of the operation; the reply has the
//! sub-message with the same number. [`Request`] and [`Response`] are these messages as values, and
//! hide the encoding. [`Client`] sends one and reads the other.
//!
//! Byte strings are not interpreted here: the service checks that 432 bytes are a REPORT.

mod client;
mod frame;
mod request;
mod response;
mod wire;

pub use client::{Client, ClientError, Deadline};
pub use frame::{FRAME_HEADER_SIZE, FrameError, MAX_REQUEST_SIZE, MAX_RESPONSE_SIZE, body_size};
pub use request::{Operation, Request, RequestError};
pub use response::{Payload, Response, ResponseError};
