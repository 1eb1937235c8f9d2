//! Requests above the limit: read to their end, discarded, and answered with an error.
//!
//! Closing the connection earlier would kill Intel's client by SIGPIPE while it writes.

use aesm::Operation;

/// The largest request that is read to its end, in bytes. Intel's daemon accepts at least 300,000.
pub(super) const MAX_DISCARDED_SIZE: usize = 1024 * 1024;

/// The maximum size of a field's key, in bytes: 32 bits, 7 in each byte.
const MAX_KEY_SIZE: usize = 5;

/// A request of which only the operation is kept.
pub(super) struct OversizedRequest {
    operation: Option<Operation>,
    unread: usize,
}

impl OversizedRequest {
    /// A request of `size` bytes that begins with `received`; `None` until these hold the
    /// operation.
    pub(super) fn begin(size: usize, received: &[u8]) -> Option<Self> {
        let first_field = received.get(..MAX_KEY_SIZE)?;
        let operation = Operation::of_first_field(first_field);
        Some(Self { operation, unread: size.saturating_sub(received.len()) })
    }

    /// Discards the request's part of these bytes, and returns the bytes after it.
    pub(super) fn discard<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let (discarded, after) = bytes.split_at(bytes.len().min(self.unread));
        self.unread = self.unread.saturating_sub(discarded.len());
        after
    }

    /// Tells if the whole request has been read.
    pub(super) fn is_whole(&self) -> bool {
        self.unread == 0
    }

    /// The operation of the first field, if the protocol has it.
    pub(super) fn operation(&self) -> Option<Operation> {
        self.operation
    }
}
