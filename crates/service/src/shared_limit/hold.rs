//! One holding that can be taken away.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::Notify;

use super::Yields;

/// The time of a holding that is not to be taken away now.
const PINNED: u64 = u64::MAX;

/// What its holder and the limit know of it.
pub(super) struct Hold {
    /// When it was active for the last time.
    active: AtomicU64,
    /// Its key among the [`Offered`].
    key: AtomicU64,
    gone: AtomicBool,
    told: Notify,
}

/// The holdings of one user that can be taken away.
///
/// Each is under the time when it was active, as far as that has been noticed here: activity itself has to cost nothing
/// but a store.
#[derive(Default)]
pub(super) struct Offered(BTreeMap<u64, Arc<Hold>>);

impl Hold {
    pub(super) fn touch(&self, now: u64) {
        self.active.store(now, Ordering::Relaxed);
    }

    pub(super) fn pin(&self) {
        self.active.store(PINNED, Ordering::Relaxed);
    }

    pub(super) async fn taken_away(&self) {
        self.told.notified().await;
    }

    /// Whether it has been taken away, and so is not counted any more.
    pub(super) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }

    fn take_away(&self) {
        self.gone.store(true, Ordering::Relaxed);
        self.told.notify_one();
    }
}

impl Offered {
    pub(super) fn add(&mut self, now: u64) -> Arc<Hold> {
        let hold = Arc::new(Hold {
            active: AtomicU64::new(now),
            key: AtomicU64::new(now),
            gone: AtomicBool::new(false),
            told: Notify::new(),
        });
        self.0.insert(now, Arc::clone(&hold));
        hold
    }

    pub(super) fn remove(&mut self, hold: &Hold) {
        self.0.remove(&hold.key.load(Ordering::Relaxed));
    }

    /// Takes one away. Says whether there was one.
    pub(super) fn take_away(&mut self, yields: Yields) -> bool {
        let hold = match yields {
            Yields::Oldest => self.oldest(),
            Yields::Newest => self.0.pop_last().map(|(_, hold)| hold),
        };
        hold.inspect(|hold| hold.take_away()).is_some()
    }

    /// The one that has not been active for longest. Those that have been active since they were last looked at get the
    /// key that they should have, once for each time, so that this costs no more than their activity did.
    fn oldest(&mut self) -> Option<Arc<Hold>> {
        let mut pinned = Vec::new();
        let oldest = loop {
            let Some((key, hold)) = self.0.pop_first() else { break None };
            match hold.active.load(Ordering::Relaxed) {
                PINNED => pinned.push((key, hold)),
                active if active > key => {
                    hold.key.store(active, Ordering::Relaxed);
                    self.0.insert(active, hold);
                }
                _ => break Some(hold),
            }
        };
        self.0.extend(pinned);
        oldest
    }
}
