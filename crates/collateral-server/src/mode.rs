//! Modes of the server.

/// The time at which the server fetches missing items: the `CachingFillMode` of a PCCS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Fetches on request.
    Lazy,
    /// Fetches when a platform registers, and refreshes what it has. Requests for anything else
    /// fail.
    Req,
    /// Fetches nothing: platforms register, and an administrator uploads their certificates.
    Offline,
}

impl Mode {
    /// Tells if sources may be asked at all.
    pub(crate) fn may_fetch(self) -> bool {
        self != Self::Offline
    }
}
