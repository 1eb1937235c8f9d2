//! What the server does about what it does not have.

/// How the server gets what it does not have. These are a PCCS's modes, there called `CachingFillMode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It asks its sources when it is asked itself.
    Lazy,
    /// It asks its sources when a platform registers, and refreshes what it has. Who asks for something else gets
    /// nothing.
    Req,
    /// It asks nobody: platforms register, and an administrator brings their certificates.
    Offline,
}

impl Mode {
    /// Whether sources may be asked at all.
    pub(crate) fn asks(self) -> bool {
        self != Self::Offline
    }
}
