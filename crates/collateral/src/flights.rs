//! One question at a time, within this process.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The questions that are under way.
#[derive(Debug)]
pub struct Flights<K> {
    in_flight: Mutex<HashSet<K>>,
    landed: Condvar,
}

/// The right to ask; given back when dropped.
#[derive(Debug)]
pub struct Flight<'a, K: Eq + Hash> {
    flights: &'a Flights<K>,
    question: K,
}

impl<K> Default for Flights<K> {
    fn default() -> Self {
        Self { in_flight: Mutex::default(), landed: Condvar::new() }
    }
}

impl<K: Eq + Hash + Clone> Flights<K> {
    /// The right to ask this question, as soon as nobody else does; `None` if somebody does until the deadline.
    pub fn take_off(&self, question: K, deadline: Instant) -> Option<Flight<'_, K>> {
        let mut in_flight = self.in_flight();
        while !in_flight.insert(question.clone()) {
            let left = deadline.checked_duration_since(Instant::now())?;
            let waited = self.landed.wait_timeout(in_flight, left);
            in_flight = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Some(Flight { flights: self, question })
    }
}

impl<K> Flights<K> {
    // No panic happens while the lock is held.
    fn in_flight(&self) -> MutexGuard<'_, HashSet<K>> {
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Drop for Flight<'_, K> {
    fn drop(&mut self) {
        self.flights.in_flight().remove(&self.question);
        self.flights.landed.notify_all();
    }
}
