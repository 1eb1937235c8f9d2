//! The log is no place for whoever wants to fill it.

use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::budget::{Budget, Rate};

/// How often an event that strangers can bring about is logged. The others are counted.
pub(crate) struct LogLimit<K> {
    budget: Budget<K>,
    left_out: AtomicU64,
}

impl<K: Eq + Hash> LogLimit<K> {
    pub(crate) fn new(each: Rate, all: Rate) -> Self {
        Self { budget: Budget::new(each, all), left_out: AtomicU64::new(0) }
    }

    /// Whether to log the event: then, how many others were left out since the last one.
    pub(crate) fn admit(&self, key: K) -> Option<u64> {
        if self.budget.take(key).is_ok() {
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
    fn what_is_left_out_is_counted() {
        let rate = |burst| Rate { burst, interval: Duration::from_secs(3600) };
        let limit = LogLimit::new(rate(2), rate(3));
        let admitted: Vec<_> = (0..10).map(|_| limit.admit(1)).collect();
        assert_eq!(admitted[..3], [Some(0), Some(0), None]);
        assert_eq!((limit.admit(2), limit.admit(2)), (Some(8), None));
    }
}
