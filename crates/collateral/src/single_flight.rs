//! Single-flight with negative caching, within one process.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

use crate::backoff::{Backoff, Pause};
use crate::locks::lock;

/// The number of failures that are remembered. All are forgotten when there are more.
const MAX_FAILURES: usize = 4096;

/// Lets one thread at a time fetch a key, and remembers recent failures.
#[derive(Debug)]
pub struct SingleFlight<K, E> {
    pause: Pause,
    in_flight: Mutex<HashSet<K>>,
    released: Condvar,
    failures: Mutex<HashMap<K, (Backoff, E)>>,
}

/// The right to fetch a key, until it is dropped.
#[derive(Debug)]
pub struct Permit<'a, K: Eq + Hash, E> {
    flights: &'a SingleFlight<K, E>,
    key: K,
}

impl<K, E> SingleFlight<K, E> {
    /// Remembers a failure for this pause.
    #[must_use]
    pub fn new(pause: Pause) -> Self {
        Self {
            pause,
            in_flight: Mutex::default(),
            released: Condvar::new(),
            failures: Mutex::default(),
        }
    }
}

impl<K: Eq + Hash + Clone, E: Clone> SingleFlight<K, E> {
    /// Looks a key up, and fetches it if it is not found and has not failed recently. Waits while
    /// another thread fetches it; `None` if that takes until the deadline.
    pub fn run<T>(
        &self,
        key: K,
        deadline: Instant,
        look_up: impl FnOnce() -> Result<Option<T>, E>,
        fetch: impl FnOnce() -> Result<T, E>,
    ) -> Option<Result<T, E>> {
        let _permit = self.acquire(key.clone(), deadline)?;
        match look_up().transpose().or_else(|| self.recent_failure(&key).map(Err)) {
            Some(result) => Some(result),
            None => Some(fetch().inspect_err(|error| self.record_failure(key, error.clone()))),
        }
    }

    /// Waits until no other thread fetches the key; `None` if that takes until the deadline.
    pub fn acquire(&self, key: K, deadline: Instant) -> Option<Permit<'_, K, E>> {
        let mut in_flight = lock(&self.in_flight);
        while !in_flight.insert(key.clone()) {
            let left = deadline.checked_duration_since(Instant::now())?;
            let waited = self.released.wait_timeout(in_flight, left);
            in_flight = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Some(Permit { flights: self, key })
    }

    /// The last failure of a key that is not to be fetched yet.
    pub fn recent_failure<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<E>
    where
        K: Borrow<Q>,
    {
        let failures = lock(&self.failures);
        let (backoff, error) = failures.get(key)?;
        backoff.until().map(|_| error.clone())
    }

    /// Remembers that the key could not be fetched.
    pub fn record_failure(&self, key: K, error: E) {
        let mut failures = lock(&self.failures);
        if failures.len() >= MAX_FAILURES {
            failures.clear();
        }
        let entry = failures.entry(key);
        let (backoff, last) = entry.or_insert_with(|| (Backoff::new(self.pause), error.clone()));
        backoff.fail(None);
        *last = error;
    }

    /// Forgets the failures of a key.
    pub fn forget_failure<Q: Eq + Hash + ?Sized>(&self, key: &Q)
    where
        K: Borrow<Q>,
    {
        lock(&self.failures).remove(key);
    }

    /// Forgets all failures.
    pub fn forget_failures(&self) {
        lock(&self.failures).clear();
    }
}

impl<K: Eq + Hash, E> Drop for Permit<'_, K, E> {
    fn drop(&mut self) {
        lock(&self.flights.in_flight).remove(&self.key);
        self.flights.released.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;
    use std::time::Duration;

    use super::*;

    fn flights<E>() -> SingleFlight<u8, E> {
        SingleFlight::new(Pause::Fixed(Duration::from_secs(2)))
    }

    fn soon() -> Instant {
        Instant::now().checked_add(Duration::from_secs(10)).unwrap()
    }

    #[test]
    fn one_of_many_threads_fetches() {
        let (flights, fetched) = (flights::<()>(), AtomicU32::new(0));
        let look_up = || Ok((fetched.load(Ordering::SeqCst) > 0).then_some(7));
        let fetch = || {
            thread::sleep(Duration::from_millis(50));
            fetched.fetch_add(1, Ordering::SeqCst);
            Ok(7)
        };
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert_eq!(flights.run(1, soon(), look_up, fetch), Some(Ok(7))));
            }
        });
        assert_eq!(fetched.into_inner(), 1);
    }

    #[test]
    fn a_failure_is_remembered() {
        let flights = flights();
        let missing = || Ok(None::<u8>);
        assert_eq!(flights.run(1, soon(), missing, || Err("first")), Some(Err("first")));
        assert_eq!(flights.run(1, soon(), missing, || Err("second")), Some(Err("first")));
        assert_eq!(flights.run(2, soon(), missing, || Err("other")), Some(Err("other")));
        flights.forget_failures();
        assert_eq!(flights.run(1, soon(), missing, || Ok(7)), Some(Ok(7)));
    }

    #[test]
    fn a_waiting_thread_has_a_deadline() {
        let flights = flights::<()>();
        let inner = || flights.run(1, Instant::now(), || Ok(None::<u8>), || Ok(7));
        assert_eq!(flights.run(1, soon(), || Ok(None), || Ok(inner())), Some(Ok(None)));
    }
}
