//! How much memory reviews may take, all together.
//!
//! Three budgets add up: for small bodies, for large ones, and for reviews that are worked on.

/// The largest review, in bytes: the API server takes no larger requests itself.
pub(crate) const MAX_SIZE: usize = 3 << 20;
/// The size up to which a body is small, in bytes. Few pods have larger ones.
pub(crate) const SMALL: usize = 64 << 10;
/// How many small and how many large reviews are worked on at a time.
pub(crate) const SMALL_AT_A_TIME: usize = 2;
pub(crate) const LARGE_AT_A_TIME: usize = 1;
/// The largest answer, in bytes. One that a client does not read stays in memory.
pub(crate) const MAX_RESPONSE: usize = 64 << 10;

/// The memory for which the webhook is made: with less it takes as much as with this, and with more no more.
const MIN_MEMORY: u64 = 64 << 20;
const MAX_MEMORY: u64 = 512 << 20;

/// Budgets in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Small bodies together, whether they have arrived or not.
    pub(crate) small_bodies: usize,
    /// Large bodies together.
    pub(crate) large_bodies: usize,
    /// What the pod of one review is parsed into, and what injecting takes.
    pub(crate) review: usize,
}

impl Limits {
    /// For a process that may have so many bytes of memory. The budgets take less than half of it: three
    /// sixteenths for reviews at work, two for large bodies, one for small ones. The rest is for connections and
    /// for the program itself.
    pub(crate) fn of_memory(memory: u64) -> Self {
        let memory = usize::try_from(memory.clamp(MIN_MEMORY, MAX_MEMORY)).unwrap_or(usize::MAX);
        Self { small_bodies: memory / 16, large_bodies: memory / 8, review: memory / 16 }
    }
}
