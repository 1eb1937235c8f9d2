//! One question at a time.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};

/// How long what has failed is not tried again.
const FAILED_FOR: Duration = Duration::from_secs(2);
/// How many failures are remembered at the most; beyond that it begins anew.
const MAX_FAILURES: usize = 4096;

/// Sees to it that the same thing is not asked for twice at a time, nor again right after it has failed.
pub(crate) struct Flights<K, E> {
    under_way: collateral::Flights<K>,
    failures: Mutex<HashMap<K, (Instant, E)>>,
}

impl<K, E> Default for Flights<K, E> {
    fn default() -> Self {
        Self { under_way: collateral::Flights::default(), failures: Mutex::default() }
    }
}

impl<K: Eq + Hash + Clone, E: Clone> Flights<K, E> {
    /// Looks with `known` and then asks with `ask`, unless somebody else does: then waits until that is over, and
    /// looks again. `None` when it is not over by the deadline.
    pub(crate) fn fly<T>(
        &self,
        key: K,
        deadline: Instant,
        known: impl Fn() -> Result<Option<T>, E>,
        ask: impl FnOnce() -> Result<T, E>,
    ) -> Option<Result<T, E>> {
        let _flight = self.under_way.take_off(key.clone(), deadline)?;
        match known().transpose().or_else(|| self.lately_failed(&key).map(Err)) {
            Some(result) => Some(result),
            None => Some(ask().inspect_err(|error| self.fail(key, error.clone()))),
        }
    }

    fn lately_failed(&self, key: &K) -> Option<E> {
        let failures = self.failures();
        let (since, error) = failures.get(key)?;
        (since.elapsed() < FAILED_FOR).then(|| error.clone())
    }

    fn fail(&self, key: K, error: E) {
        let mut failures = self.failures();
        if failures.len() >= MAX_FAILURES {
            failures.clear();
        }
        failures.insert(key, (Instant::now(), error));
    }

    /// Forgets what has failed.
    pub(crate) fn forget_failures(&self) {
        self.failures().clear();
    }

    /// No panic happens while the lock is held.
    fn failures(&self) -> MutexGuard<'_, HashMap<K, (Instant, E)>> {
        self.failures.lock()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;

    use super::*;

    fn soon() -> Instant {
        Instant::now().checked_add(Duration::from_secs(10)).unwrap()
    }

    #[test]
    fn of_many_one_asks() {
        let (flights, asked) = (Flights::<u8, ()>::default(), AtomicU32::new(0));
        let known = || Ok((asked.load(Ordering::SeqCst) > 0).then_some(7));
        let ask = || {
            thread::sleep(Duration::from_millis(50));
            asked.fetch_add(1, Ordering::SeqCst);
            Ok(7)
        };
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert_eq!(flights.fly(1, soon(), known, ask), Some(Ok(7))));
            }
        });
        assert_eq!(asked.into_inner(), 1);
    }

    #[test]
    fn a_failure_is_not_repeated_at_once() {
        let flights = Flights::<u8, &str>::default();
        let unknown = || Ok(None::<u8>);
        assert_eq!(flights.fly(1, soon(), unknown, || Err("first")), Some(Err("first")));
        assert_eq!(flights.fly(1, soon(), unknown, || Err("second")), Some(Err("first")));
        assert_eq!(flights.fly(2, soon(), unknown, || Err("other")), Some(Err("other")));
        flights.forget_failures();
        assert_eq!(flights.fly(1, soon(), unknown, || Ok(7)), Some(Ok(7)));
    }

    #[test]
    fn who_waits_has_a_deadline() {
        let flights = Flights::<u8, ()>::default();
        let inner = || flights.fly(1, Instant::now(), || Ok(None::<u8>), || Ok(7));
        assert_eq!(flights.fly(1, soon(), || Ok(None), || Ok(inner())), Some(Ok(None)));
    }
}
