//! Pauses between attempts.

use std::time::{Duration, Instant};

/// The default pause after the first failure.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// The pause after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    /// Always the same.
    Fixed(Duration),
    /// This one after the first failure, then twice as long after each, up to 5 minutes. Jitter
    /// makes it up to a half longer or shorter, so that clients that failed together do not retry
    /// together.
    Doubling(Duration),
}

/// The failures of one operation since it last succeeded.
#[derive(Debug)]
pub(crate) struct Backoff {
    pause: Pause,
    failures: u32,
    until: Option<Instant>,
}

impl Backoff {
    pub(crate) fn new(pause: Pause) -> Self {
        Self { pause, failures: 0, until: None }
    }

    pub(crate) fn pause(&self) -> Pause {
        self.pause
    }

    /// The end of the pause; `None` outside of one.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.until.filter(|until| *until > Instant::now())
    }

    /// Begins a pause, which takes at least as long as `retry_after`.
    pub(crate) fn fail(&mut self, retry_after: Option<Duration>) {
        let pause = match self.pause {
            Pause::Fixed(pause) => pause,
            Pause::Doubling(first) => {
                let factor = 1_u32.checked_shl(self.failures).unwrap_or(u32::MAX);
                first.saturating_mul(factor).min(LONGEST_PAUSE).mul_f64(0.5 + fastrand::f64())
            }
        };
        self.failures = self.failures.saturating_add(1).min(31);
        self.until = Instant::now().checked_add(pause.max(retry_after.unwrap_or_default()));
    }
}
