//! Rate limits for the log.

use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::rate_limiter::{Rate, RateLimiter};

/// Limits the log of an event that any client can cause, and counts the suppressed lines.
pub(crate) struct LogLimit<K> {
    limiter: RateLimiter<K>,
    left_out: AtomicU64,
}

impl<K: Eq + Hash> LogLimit<K> {
    pub(crate) fn new(each: Rate, all: Rate) -> Self {
        Self { limiter: RateLimiter::new(each, all), left_out: AtomicU64::new(0) }
    }

    /// `None`: suppress the event. Else log it, with the number suppressed since the last line.
    pub(crate) fn admit(&self, key: K) -> Option<u64> {
        if self.limiter.take(key).is_ok() {
            return Some(self.left_out.swap(0, Ordering::Relaxed));
        }
        self.left_out.fetch_add(1, Ordering::Relaxed);
        None
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn suppressed_lines_are_counted() {
        let rate = |burst| Rate { burst, interval: Duration::from_secs(3600) };
        let limit = LogLimit::new(rate(2), rate(3));
        let admitted: Vec<_> = (0..10).map(|_| limit.admit(1)).collect();
        assert_eq!(admitted[..3], [Some(0), Some(0), None]);
        assert_eq!((limit.admit(2), limit.admit(2)), (Some(8), None));
    }
}
