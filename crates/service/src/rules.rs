//! Rules that can be changed while the service runs.

use tokio::sync::watch;

use crate::limits::Limits;
use crate::policy::Policy;

/// The limits and the policy of a service, changed through the sender of a [`watch`] channel. The
/// policy applies to the next quote, timeouts to the next wait, and maximum numbers to the next
/// connection or quote: those above a lowered number stay.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// The limits of one client, and of all of them together.
    pub limits: Limits,
    /// The callers and enclaves that get quotes.
    pub policy: Policy,
}

impl Rules {
    /// These rules, without a sender that could change them.
    #[must_use]
    pub fn fixed(self) -> watch::Receiver<Self> {
        watch::channel(self).1
    }
}
