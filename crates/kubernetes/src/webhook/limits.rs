//! Memory limits of reviews.
//!
//! Three budgets add up: small bodies, large bodies, and reviews in progress.

/// The maximum size of a review in bytes: the API server's own limit of requests.
pub(crate) const MAX_SIZE: usize = 3 << 20;
/// The maximum size of a small body in bytes. Few pods are larger.
pub(crate) const SMALL: usize = 64 << 10;
/// The number of concurrent reviews, small and large.
pub(crate) const SMALL_AT_A_TIME: usize = 2;
pub(crate) const LARGE_AT_A_TIME: usize = 1;
/// The maximum size of a response in bytes. Responses that a client does not read stay in memory.
pub(crate) const MAX_RESPONSE: usize = 64 << 10;

/// The range of memory limits; values outside are clamped.
const MIN_MEMORY: u64 = 64 << 20;
const MAX_MEMORY: u64 = 512 << 20;

/// Budgets in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Small bodies, received or not.
    pub(crate) small_bodies: usize,
    /// Large bodies.
    pub(crate) large_bodies: usize,
    /// The parsed pod of one review, and its injection.
    pub(crate) review: usize,
}

impl Limits {
    /// For a process with this memory limit in bytes. The budgets take less than half: three
    /// sixteenths for reviews in progress, two for large bodies, one for small ones. The rest is
    /// for connections and the program itself.
    pub(crate) fn of_memory(memory: u64) -> Self {
        let memory = usize::try_from(memory.clamp(MIN_MEMORY, MAX_MEMORY)).unwrap_or(usize::MAX);
        Self { small_bodies: memory / 16, large_bodies: memory / 8, review: memory / 16 }
    }
}
