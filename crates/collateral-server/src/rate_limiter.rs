//! Rate limits: one for each key, and one for all keys together.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Maximum buckets. Further keys are limited by the common bucket alone.
const MAX_KEYS: usize = 4096;

/// The size of a token bucket, and the interval at which it gets a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) burst: u32,
    pub(crate) interval: Duration,
}

/// Token buckets: one for each key, and one for all.
pub(crate) struct RateLimiter<K> {
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
    /// The time of the last token.
    filled: Instant,
}

impl<K: Eq + Hash> RateLimiter<K> {
    /// A limiter with full buckets.
    pub(crate) fn new(each: Rate, all: Rate) -> Self {
        let buckets = Buckets { each: HashMap::new(), all: Bucket::full(&all, Instant::now()) };
        Self { each, all, buckets: Mutex::new(buckets) }
    }

    /// Takes a token.
    ///
    /// # Errors
    /// The time until the next token, when there is none.
    pub(crate) fn take(&self, key: K) -> Result<(), Duration> {
        self.take_at(key, Instant::now())
    }

    fn take_at(&self, key: K, now: Instant) -> Result<(), Duration> {
        // No panic happens while the lock is held.
        let mut buckets = self.buckets.lock();
        let Buckets { each, all } = &mut *buckets;
        if each.len() >= MAX_KEYS && !each.contains_key(&key) {
            each.retain(|_, bucket| bucket.refilled(&self.each, now).tokens < self.each.burst);
        }
        let mut uncounted = Bucket::full(&self.each, now);
        let own = match each.len() < MAX_KEYS || each.contains_key(&key) {
            true => each.entry(key).or_insert(uncounted),
            false => &mut uncounted,
        };
        (*own, *all) = (own.refilled(&self.each, now), all.refilled(&self.all, now));
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

    /// The bucket with the tokens that it got until now.
    fn refilled(self, rate: &Rate, now: Instant) -> Self {
        let elapsed = now.saturating_duration_since(self.filled);
        let intervals = elapsed.as_nanos().checked_div(rate.interval.as_nanos()).unwrap_or(0);
        let new = u32::try_from(intervals).unwrap_or(u32::MAX);
        match self.tokens.saturating_add(new) {
            tokens if tokens >= rate.burst => Self::full(rate, now),
            tokens => {
                let time = rate.interval.saturating_mul(new);
                Self { tokens, filled: self.filled.checked_add(time).unwrap_or(now) }
            }
        }
    }

    /// The time until there is a token.
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
    fn a_burst_refills_token_by_token() {
        let (limiter, start) = (RateLimiter::new(rate(3), rate(100)), Instant::now());
        for _ in 0..3 {
            assert_eq!(limiter.take_at(1, start), Ok(()));
        }
        assert_eq!(limiter.take_at(1, start + 4 * SECOND), Err(6 * SECOND));
        assert_eq!(limiter.take_at(2, start + 4 * SECOND), Ok(()));
        assert_eq!(limiter.take_at(1, start + 10 * SECOND), Ok(()));
        assert_eq!(limiter.take_at(1, start + 10 * SECOND), Err(10 * SECOND));
        for _ in 0..3 {
            assert_eq!(limiter.take_at(1, start + 1000 * SECOND), Ok(()));
        }
        assert!(limiter.take_at(1, start + 1000 * SECOND).is_err());
    }

    #[test]
    fn all_keys_share_a_limit() {
        let (limiter, start) = (RateLimiter::new(rate(3), rate(100)), Instant::now());
        let granted = (0..1000).filter(|key| limiter.take_at(*key, start).is_ok()).count();
        assert_eq!(granted, 100);
        // A rejected request takes no token.
        assert_eq!(limiter.take_at(7, start + 10 * SECOND), Ok(()));
    }

    #[test]
    fn the_number_of_buckets_is_bounded() {
        let many = Rate { burst: u32::MAX, interval: SECOND };
        let (limiter, start) = (RateLimiter::new(rate(3), many), Instant::now());
        for key in 0..3 * MAX_KEYS {
            assert_eq!(limiter.take_at(key, start), Ok(()));
        }
        assert_eq!(limiter.buckets.lock().each.len(), MAX_KEYS);
    }
}
