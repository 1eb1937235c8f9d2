//! The limits of a service.

use std::time::Duration;

/// The limits of a service, which protect callers from each other. A caller is a pod, a container,
/// or a user of the machine with all of its sessions and subordinate uids.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Maximum open connections. Beyond it, the caller with the most loses its least recently
    /// active one.
    pub connections: usize,
    /// Maximum open connections per caller. On further ones, requests are answered with
    /// `AESM_BUSY`.
    pub connections_per_caller: usize,
    /// Maximum queued quotes, of those that take time. Further ones are answered with `AESM_BUSY`.
    pub queued_quotes: usize,
    /// Maximum queued quotes per caller. Further ones are answered with `AESM_BUSY`.
    pub queued_quotes_per_caller: usize,
    /// Timeout of a request, from its first byte to its last.
    pub request_timeout: Duration,
    /// Timeout of a quote, its time in the queue included.
    pub quote_timeout: Duration,
    /// Timeout of a reply that the client does not read.
    pub reply_timeout: Duration,
    /// Idle timeout of a connection.
    pub idle_timeout: Duration,
}

/// New connections that are served before older ones get their turn, and the most that may be open
/// beyond the limit until those that were revoked are closed.
pub(crate) const ACCEPT_BATCH: usize = 32;

impl Limits {
    /// Connections beyond `connections` that are open for a moment, to be told that there is no
    /// room.
    pub(crate) const REJECTIONS: usize = 64;

    /// Descriptors that clients may take for a moment beyond `connections`: for rejected
    /// connections and for revoked ones that are not closed yet.
    pub const DESCRIPTORS_BEYOND_CONNECTIONS: usize = Self::REJECTIONS + ACCEPT_BATCH;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 32_768,
            connections_per_caller: 16_384,
            queued_quotes: 1_024,
            queued_quotes_per_caller: 512,
            request_timeout: Duration::from_secs(5),
            quote_timeout: Duration::from_secs(10),
            reply_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(60),
        }
    }
}
