//! Rules that can be changed while the service runs.

use tokio::sync::watch;

use crate::limits::Limits;
use crate::policy::Policy;

/// The limits and the policy of a service. Whoever has the sender of a [`watch`] channel may change
/// them: the policy holds for the next quote, times for the next wait, and numbers for the next
/// connection or quote. Nobody loses a connection by it, so more than a lowered number may be open
/// until they close. `quoting_threads` stays.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// The limits of one client, and of all of them together.
    pub limits: Limits,
    /// The callers and enclaves that get quotes.
    pub policy: Policy,
}

impl Rules {
    /// These rules, which nobody changes.
    #[must_use]
    pub fn fixed(self) -> watch::Receiver<Self> {
        watch::channel(self).1
    }
}
