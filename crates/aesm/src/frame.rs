//! The frame around a message: its length in 4 bytes, little-endian, then the message.

use crate::wire::Writer;

/// The largest request that a service reads. The largest one of the protocol's ECDSA part, a list
/// of ten attestation key ids, has about 2,600 bytes.
pub const MAX_REQUEST_SIZE: usize = 8 * 1024;

/// The largest response that a client reads.
pub const MAX_RESPONSE_SIZE: usize = 128 * 1024;

/// The size of a frame's header, the length, in bytes.
pub const FRAME_HEADER_SIZE: usize = 4;

/// The length in a frame's header is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// A message has at least one byte.
    #[error("the frame is empty")]
    Empty,
    /// The message would exceed the reader's limit.
    #[error("the frame announces {size} bytes, more than the {limit} allowed")]
    TooLarge {
        /// The size in the header, in bytes.
        size: u32,
        /// The reader's limit, in bytes.
        limit: usize,
    },
}

/// The size of the message that follows `header`, checked before anything is allocated for it.
///
/// # Errors
/// [`FrameError`] when the size is zero or above `limit`.
pub fn body_size(header: [u8; FRAME_HEADER_SIZE], limit: usize) -> Result<usize, FrameError> {
    let size = u32::from_le_bytes(header);
    match usize::try_from(size) {
        Ok(0) => Err(FrameError::Empty),
        Ok(fits) if fits <= limit => Ok(fits),
        _ => Err(FrameError::TooLarge { size, limit }),
    }
}

/// A frame around a message with this one sub-message.
pub(crate) fn frame(number: u32, sub_message: &Writer) -> Vec<u8> {
    let (head, body) = (Writer::head(number, sub_message.as_bytes()), sub_message.as_bytes());
    let size = head.as_bytes().len().saturating_add(body.len());
    let mut frame = Vec::with_capacity(size.saturating_add(FRAME_HEADER_SIZE));
    frame.extend(u32::try_from(size).unwrap_or(u32::MAX).to_le_bytes());
    frame.extend_from_slice(head.as_bytes());
    frame.extend_from_slice(body);
    frame
}
