//! What one client, or all of them together, may take.

use std::time::Duration;

/// The limits of a service. Each protects the callers from each other. A caller here is a pod, a container, or a user of the
/// machine with all of its sessions and subordinate uids.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at once. When there are so many, the caller with the most loses the one that has been idle for longest.
    pub connections: usize,
    /// Connections of one caller at once. On further ones requests are answered with `AESM_BUSY`.
    pub connections_per_caller: usize,
    /// Quotes that wait or are being made, when they take their time. One more is answered with
    /// `AESM_BUSY`.
    pub queued_quotes: usize,
    /// As many of them for one caller. One more is answered with `AESM_BUSY`.
    pub queued_quotes_per_caller: usize,
    /// Threads that make quotes, with a Quoter that needs threads.
    pub quoting_threads: usize,
    /// The time for a whole request, from its first byte.
    pub request_timeout: Duration,
    /// The time for a quote, from the queue to the last byte of the signature.
    pub quote_timeout: Duration,
    /// The time for the client to take its reply.
    pub reply_timeout: Duration,
    /// The time that a connection may do nothing.
    pub idle_timeout: Duration,
}

impl Limits {
    /// Connections beyond `connections` that are open for a moment: those that are told that there is no room.
    pub(crate) const REJECTIONS: usize = 64;

    /// Descriptors that clients may take for a moment beyond `connections`: those of connections that are rejected, and of
    /// those that are to be closed and have not noticed yet.
    pub const DESCRIPTORS_BEYOND_CONNECTIONS: usize = Self::REJECTIONS + crate::listener::BATCH;
}

impl Default for Limits {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            connections: 32_768,
            connections_per_caller: 16_384,
            queued_quotes: 1_024,
            queued_quotes_per_caller: 512,
            quoting_threads: cores,
            request_timeout: Duration::from_secs(5),
            quote_timeout: Duration::from_secs(10),
            reply_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(60),
        }
    }
}
