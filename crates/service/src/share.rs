//! What one caller takes of what there is for all, so that others are served as if it asked for little.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::Semaphore;

use crate::limits::Limits;
use crate::slots::Slots;

/// Callers that are remembered, beyond those that are connected.
const REMEMBERED: usize = 1_024;

/// For so long after two callers were seen it counts as probable that both ask on.
const RECENT: Duration = Duration::from_secs(1);

/// The part of one caller: of a user of the machine, or of one pod.
pub(crate) struct Share {
    /// What tells callers apart.
    pub(crate) number: u64,
    pub(crate) connections: Slots,
    pub(crate) quotes: Slots,
    /// Held while a request of this caller is answered, until others have had their turn.
    pub(crate) turn: Arc<Semaphore>,
}

/// The parts of all callers.
pub(crate) struct Shares {
    limits: Limits,
    state: Mutex<State>,
}

/// The user, and the pod's UID if it is known.
type Key = (u32, Option<Arc<str>>);

struct State {
    shares: HashMap<Key, Arc<Share>>,
    next_number: u64,
    latest: Option<u64>,
    /// When the latest caller was another one than the one before it.
    changed: Option<Instant>,
}

impl Shares {
    pub(crate) fn new(limits: &Limits) -> Self {
        let state = State { shares: HashMap::new(), next_number: 0, latest: None, changed: None };
        Self { limits: limits.clone(), state: Mutex::new(state) }
    }

    /// The part of this user, in this pod.
    pub(crate) fn of(&self, uid: u32, pod: Option<Arc<str>>, now: Instant) -> Arc<Share> {
        // No panic happens while the lock is held, so a poisoned one holds whole shares all the same.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let share = state.share((uid, pod), &self.limits);
        let latest = state.latest.replace(share.number);
        if latest.is_some_and(|latest| latest != share.number) {
            state.changed = Some(now);
        }
        share
    }

    /// Whether several callers ask, so that they have to take turns.
    pub(crate) fn are_contended(&self, now: Instant) -> bool {
        let changed = self.state.lock().unwrap_or_else(PoisonError::into_inner).changed;
        changed.is_some_and(|changed| now.saturating_duration_since(changed) < RECENT)
    }
}

impl State {
    fn share(&mut self, key: Key, limits: &Limits) -> Arc<Share> {
        if let Some(share) = self.shares.get(&key) {
            return Arc::clone(share);
        }
        if self.shares.len() >= REMEMBERED {
            self.shares.retain(|_, share| Arc::strong_count(share) > 1);
        }
        self.next_number = self.next_number.saturating_add(1);
        let share = Arc::new(Share::new(self.next_number, limits));
        self.shares.insert(key, Arc::clone(&share));
        share
    }
}

impl Share {
    fn new(number: u64, limits: &Limits) -> Self {
        Self {
            number,
            connections: Slots::new(limits.connections_per_caller, Gauge::default()),
            quotes: Slots::new(limits.queued_quotes_per_caller, Gauge::default()),
            turn: Arc::new(Semaphore::new(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(uid: &str) -> Option<Arc<str>> {
        Some(uid.into())
    }

    #[test]
    fn users_and_pods_have_shares_of_their_own() {
        let (shares, now) = (Shares::new(&Limits::default()), Instant::now());
        let number = |uid, pod| shares.of(uid, pod, now).number;
        let callers =
            [number(0, None), number(0, pod("a")), number(0, pod("b")), number(1, pod("a"))];
        assert_eq!(callers, [1, 2, 3, 4]);
        assert_eq!(number(0, pod("a")), 2);
    }

    #[test]
    fn one_caller_alone_contends_with_nobody() {
        let (shares, now) = (Shares::new(&Limits::default()), Instant::now());
        shares.of(0, None, now);
        shares.of(0, None, now);
        assert!(!shares.are_contended(now));
        shares.of(1, None, now);
        assert!(shares.are_contended(now));
        assert!(!shares.are_contended(now + RECENT));
    }

    #[test]
    fn callers_that_are_gone_are_forgotten_when_there_are_many() {
        let (shares, now) = (Shares::new(&Limits::default()), Instant::now());
        let connected = shares.of(7, None, now);
        for uid in 100..(100 + 3 * REMEMBERED as u32) {
            shares.of(uid, None, now);
        }
        assert!(shares.state.lock().unwrap().shares.len() <= REMEMBERED + 1);
        assert_eq!(shares.of(7, None, now).number, connected.number);
    }
}
