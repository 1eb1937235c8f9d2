//! How often something may be done: for each of those who ask for it, and for all of them together.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many budgets are remembered at the most. Who comes beyond that has the common one alone.
const MAX_KEYS: usize = 4096;

/// A rate: a token bucket of this size, into which another token falls after each interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) burst: u32,
    pub(crate) interval: Duration,
}

/// Token buckets: one for each key, and one for all.
pub(crate) struct Budget<K> {
    each: Rate,
    all: Rate,
    buckets: Mutex<Buckets<K>>,
}

struct Buckets<K> {
    each: HashMap<K, Bucket>,
    all: Bucket,
}

#[derive(Clone, Copy)]
struct Bucket {
    tokens: u32,
    /// When the last token fell in.
    filled: Instant,
}

impl<K: Eq + Hash> Budget<K> {
    /// Full buckets.
    pub(crate) fn new(each: Rate, all: Rate) -> Self {
        let buckets = Buckets { each: HashMap::new(), all: Bucket::full(&all, Instant::now()) };
        Self { each, all, buckets: Mutex::new(buckets) }
    }

    /// Takes a token.
    ///
    /// # Errors
    /// How long to wait for the next one, when there is none.
    pub(crate) fn take(&self, key: K) -> Result<(), Duration> {
        self.take_at(key, Instant::now())
    }

    fn take_at(&self, key: K, now: Instant) -> Result<(), Duration> {
        // No panic happens while the lock is held.
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let Buckets { each, all } = &mut *buckets;
        if each.len() >= MAX_KEYS && !each.contains_key(&key) {
            each.retain(|_, bucket| bucket.look(&self.each, now).tokens < self.each.burst);
        }
        let mut uncounted = Bucket::full(&self.each, now);
        let own = match each.len() < MAX_KEYS || each.contains_key(&key) {
            true => each.entry(key).or_insert(uncounted),
            false => &mut uncounted,
        };
        (*own, *all) = (own.look(&self.each, now), all.look(&self.all, now));
        let wait = own.wait(&self.each, now).max(all.wait(&self.all, now));
        if wait.is_zero() {
            own.tokens = own.tokens.saturating_sub(1);
            all.tokens = all.tokens.saturating_sub(1);
            return Ok(());
        }
        Err(wait)
    }
}

impl Bucket {
    fn full(rate: &Rate, now: Instant) -> Self {
        Self { tokens: rate.burst, filled: now }
    }

    /// The bucket with what has fallen into it by now.
    fn look(self, rate: &Rate, now: Instant) -> Self {
        let elapsed = now.saturating_duration_since(self.filled);
        let intervals = elapsed.as_nanos().checked_div(rate.interval.as_nanos()).unwrap_or(0);
        let fallen = u32::try_from(intervals).unwrap_or(u32::MAX);
        match self.tokens.saturating_add(fallen) {
            tokens if tokens >= rate.burst => Self::full(rate, now),
            tokens => {
                let time = rate.interval.saturating_mul(fallen);
                Self { tokens, filled: self.filled.checked_add(time).unwrap_or(now) }
            }
        }
    }

    /// How long until there is a token.
    fn wait(self, rate: &Rate, now: Instant) -> Duration {
        match self.tokens {
            0 => rate.interval.saturating_sub(now.saturating_duration_since(self.filled)),
            _ => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const INTERVAL: Duration = Duration::from_secs(10);

    fn rate(burst: u32) -> Rate {
        Rate { burst, interval: INTERVAL }
    }

    #[test]
    fn a_burst_is_spent_and_comes_back_token_by_token() {
        let (budget, start) = (Budget::new(rate(3), rate(100)), Instant::now());
        for _ in 0..3 {
            assert_eq!(budget.take_at(1, start), Ok(()));
        }
        assert_eq!(budget.take_at(1, start + 4 * SECOND), Err(6 * SECOND));
        assert_eq!(budget.take_at(2, start + 4 * SECOND), Ok(()));
        assert_eq!(budget.take_at(1, start + 10 * SECOND), Ok(()));
        assert_eq!(budget.take_at(1, start + 10 * SECOND), Err(10 * SECOND));
        for _ in 0..3 {
            assert_eq!(budget.take_at(1, start + 1000 * SECOND), Ok(()));
        }
        assert!(budget.take_at(1, start + 1000 * SECOND).is_err());
    }

    #[test]
    fn all_together_have_a_budget_too() {
        let (budget, start) = (Budget::new(rate(3), rate(100)), Instant::now());
        let granted = (0..1000).filter(|key| budget.take_at(*key, start).is_ok()).count();
        assert_eq!(granted, 100);
        // A refusal costs nothing.
        assert_eq!(budget.take_at(7, start + 10 * SECOND), Ok(()));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let many = Rate { burst: u32::MAX, interval: SECOND };
        let (budget, start) = (Budget::new(rate(3), many), Instant::now());
        for key in 0..3 * MAX_KEYS {
            assert_eq!(budget.take_at(key, start), Ok(()));
        }
        assert_eq!(budget.buckets.lock().unwrap().each.len(), MAX_KEYS);
    }
}
