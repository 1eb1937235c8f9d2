//! The memory of a service that was waited for in vain.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The time it lasts: an application that asks again and again waits for a third of the time.
const LASTS: Duration = Duration::from_secs(30);

/// Until when nobody waits for the service.
///
/// An atomic number rather than a lock, which could be held while a thread forks.
#[derive(Debug)]
pub(super) struct Absence {
    begin: Instant,
    /// In milliseconds since `begin`; 0 while the service is not known to be absent.
    until: AtomicU64,
}

impl Default for Absence {
    fn default() -> Self {
        Self { begin: Instant::now(), until: AtomicU64::new(0) }
    }
}

impl Absence {
    /// The service was waited for, and did not come.
    pub(super) fn remember(&self) {
        self.until.store(self.now().saturating_add(millis(LASTS)), Ordering::Relaxed);
    }

    /// The service has answered. Costs one load as long as nothing is remembered.
    pub(super) fn is_over(&self) {
        if self.until.load(Ordering::Relaxed) != 0 {
            self.until.store(0, Ordering::Relaxed);
        }
    }

    /// True if the service was waited for in vain a short time ago.
    pub(super) fn is_remembered(&self) -> bool {
        self.now() < self.until.load(Ordering::Relaxed)
    }

    fn now(&self) -> u64 {
        millis(self.begin.elapsed())
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
