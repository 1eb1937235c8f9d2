//! The memory of a service that did not return within the reconnect timeout.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The time for which requests do not wait: an application that keeps asking waits a third of the
/// time.
const FAIL_FAST_TIME: Duration = Duration::from_secs(30);

/// The time until which requests do not wait for the service.
///
/// An atomic number, since a lock could be held while a thread forks.
#[derive(Debug)]
pub(super) struct Outage {
    begin: Instant,
    /// In milliseconds since `begin`; 0 without an outage.
    until: AtomicU64,
}

impl Default for Outage {
    fn default() -> Self {
        Self { begin: Instant::now(), until: AtomicU64::new(0) }
    }
}

impl Outage {
    /// Records that the service did not return.
    pub(super) fn record(&self) {
        self.until.store(self.now().saturating_add(millis(FAIL_FAST_TIME)), Ordering::Relaxed);
    }

    /// Records that the service has answered. Costs one load without an outage.
    pub(super) fn end(&self) {
        if self.until.load(Ordering::Relaxed) != 0 {
            self.until.store(0, Ordering::Relaxed);
        }
    }

    /// True for a while after [`Outage::record`].
    pub(super) fn is_recent(&self) -> bool {
        self.now() < self.until.load(Ordering::Relaxed)
    }

    fn now(&self) -> u64 {
        millis(self.begin.elapsed())
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
