//! Leases that can be revoked, in the order of their last activity.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::Notify;

/// The activity time of a lease that must not be revoked.
const PINNED: u64 = u64::MAX;

/// The part of a lease that its holder and the quotas share.
pub(super) struct Revocable {
    /// The time of its last activity.
    active: AtomicU64,
    /// Its key in [`RevocableLeases`].
    key: AtomicU64,
    revoked: AtomicBool,
    notify: Notify,
}

/// The revocable leases of one user.
///
/// The key of each is the time of its last activity as noticed here, which may lag behind: activity
/// itself must cost no more than a store.
#[derive(Default)]
pub(super) struct RevocableLeases(BTreeMap<u64, Arc<Revocable>>);

impl Revocable {
    pub(super) fn touch(&self, now: u64) {
        self.active.store(now, Ordering::Relaxed);
    }

    pub(super) fn pin(&self) {
        self.active.store(PINNED, Ordering::Relaxed);
    }

    pub(super) async fn revoked(&self) {
        self.notify.notified().await;
    }

    /// A revoked lease is not counted any more.
    pub(super) fn is_revoked(&self) -> bool {
        self.revoked.load(Ordering::Relaxed)
    }

    fn revoke(&self) {
        self.revoked.store(true, Ordering::Relaxed);
        self.notify.notify_one();
    }
}

impl RevocableLeases {
    pub(super) fn add(&mut self, now: u64) -> Arc<Revocable> {
        let lease = Arc::new(Revocable {
            active: AtomicU64::new(now),
            key: AtomicU64::new(now),
            revoked: AtomicBool::new(false),
            notify: Notify::new(),
        });
        self.0.insert(now, Arc::clone(&lease));
        lease
    }

    pub(super) fn remove(&mut self, lease: &Revocable) {
        self.0.remove(&lease.key.load(Ordering::Relaxed));
    }

    /// Revokes the least recently active lease that is not pinned. False if there is none.
    ///
    /// Leases that were active since the last look are put in order here, once for each time, so
    /// that this costs no more than their activity did.
    pub(super) fn revoke_oldest(&mut self) -> bool {
        let mut pinned = Vec::new();
        let oldest = loop {
            let Some((key, lease)) = self.0.pop_first() else { break None };
            match lease.active.load(Ordering::Relaxed) {
                PINNED => pinned.push((key, lease)),
                active if active > key => {
                    lease.key.store(active, Ordering::Relaxed);
                    self.0.insert(active, lease);
                }
                _ => break Some(lease),
            }
        };
        self.0.extend(pinned);
        oldest.inspect(|lease| lease.revoke()).is_some()
    }

    /// Revokes the lease that was added last. False if there is none.
    pub(super) fn revoke_newest(&mut self) -> bool {
        self.0.pop_last().inspect(|(_, lease)| lease.revoke()).is_some()
    }
}
