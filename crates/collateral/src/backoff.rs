//! How long to leave alone who has failed.

use std::time::{Duration, Instant};

/// The pause after the first failure, where nobody says otherwise.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(300);

/// Pauses that double with each failure, by chance a half longer or shorter, so that those who failed together do
/// not come back together.
#[derive(Debug)]
pub(crate) struct Backoff {
    first: Duration,
    failures: u32,
    until: Option<Instant>,
}

impl Backoff {
    /// No failure yet; the first one will be followed by about this pause.
    pub(crate) fn new(first: Duration) -> Self {
        Self { first, failures: 0, until: None }
    }

    /// Until when to wait; `None` if it is over.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.until.filter(|until| *until > Instant::now())
    }

    /// It failed, and perhaps said how long it wants to be left alone.
    pub(crate) fn fail(&mut self, wish: Option<Duration>) {
        let doubled =
            self.first.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX));
        let pause = doubled.min(LONGEST).mul_f64(0.5 + fastrand::f64());
        self.failures = self.failures.saturating_add(1).min(31);
        self.until = Instant::now().checked_add(pause.max(wish.unwrap_or_default()));
    }
}
