//! A limit that tenants share: on connections, or on quotes that wait.
//!
//! ```text
//! shared_limit/holders.rs  how much each tenant and each of its users holds, and who gives way
//! shared_limit/hold.rs     one holding that can be taken away
//! ```
//!
//! As long as there is room, a tenant may take as much as its quota. A part is reserved for tenants that hold nothing.
//! When there is no room, the tenant that holds the most gives way to those that hold less, and within a tenant at its
//! quota the user that holds the most.

mod hold;
mod holders;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, MutexGuard, RwLock};
use prometheus_client::metrics::gauge::Gauge;
use quoting::Flow;
use tokio::sync::Notify;

use hold::Hold;
use holders::Holders;

/// One part in so many is reserved for tenants that hold nothing.
const RESERVED_PART: usize = 16;

/// How much there is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quota {
    pub(crate) total: usize,
    pub(crate) per_tenant: usize,
    pub(crate) yields: Yields,
}

/// What gives way when there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Yields {
    /// The holding that has been idle for longest: also for another one of the same tenant.
    Oldest,
    /// The holding that was taken last, which has not waited for long. Of the same tenant it would be the new one.
    Newest,
}

/// There is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exceeded {
    /// The tenant holds as much as it may.
    Tenant,
    /// Together, tenants hold all there is, and none of them holds more than this one.
    Total,
}

/// The limit, and what is held.
pub(crate) struct SharedLimit {
    quota: RwLock<Quota>,
    holders: Mutex<Holders>,
    /// Orders holdings by when they were active for the last time.
    clock: AtomicU64,
    open: Gauge,
    all_closed: Notify,
}

/// One of what there is, until this is dropped.
pub(crate) struct Lease {
    limit: Arc<SharedLimit>,
    flow: Flow,
    hold: Option<Arc<Hold>>,
}

impl SharedLimit {
    /// A limit of which nothing is held; the gauge shows how many leases there are.
    pub(crate) fn new(quota: Quota, open: Gauge) -> Arc<Self> {
        Arc::new(Self {
            quota: RwLock::new(quota),
            holders: Mutex::default(),
            clock: AtomicU64::default(),
            open,
            all_closed: Notify::new(),
        })
    }

    /// There is so much from now on. Whoever holds more keeps it.
    pub(crate) fn set_quota(&self, quota: Quota) {
        *self.quota.write() = quota;
    }

    fn quota(&self) -> Quota {
        *self.quota.read()
    }

    /// Takes one for this flow, if need be from somebody else.
    ///
    /// # Errors
    /// When there is no room, and nobody has to give way.
    pub(crate) fn take(self: &Arc<Self>, flow: Flow) -> Result<Lease, Exceeded> {
        let quota = self.quota();
        self.holders().take(flow, &quota)?;
        self.open.inc();
        Ok(Lease { limit: Arc::clone(self), flow, hold: None })
    }

    /// Takes one away from whoever holds the most. Says whether anybody had one to give.
    pub(crate) fn shrink(&self) -> bool {
        let yields = self.quota().yields;
        self.holders().take_from_largest(0, yields)
    }

    /// How many leases there are, those included whose holders have not yet noticed that they have to give way.
    pub(crate) fn open(&self) -> i64 {
        self.open.get()
    }

    /// Waits until there is no lease.
    pub(crate) async fn all_closed(&self) {
        loop {
            let closed = self.all_closed.notified();
            if self.holders().open() == 0 {
                return;
            }
            closed.await;
        }
    }

    fn now(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::Relaxed)
    }

    fn holders(&self) -> MutexGuard<'_, Holders> {
        self.holders.lock()
    }
}

impl Lease {
    /// From now on this can be taken away, which [`Lease::taken_away`] tells.
    pub(crate) fn offer(&mut self) {
        if self.hold.is_none() {
            let now = self.limit.now();
            self.hold = Some(self.limit.holders().offer(self.flow, now));
        }
    }

    /// Counts as active at this time.
    pub(crate) fn touch(&self) {
        if let Some(hold) = &self.hold {
            hold.touch(self.limit.now());
        }
    }

    /// Cannot be taken away until the next [`Lease::touch`].
    pub(crate) fn pin(&self) {
        if let Some(hold) = &self.hold {
            hold.pin();
        }
    }

    /// Done when this has been taken away, if it ever is.
    pub(crate) fn taken_away(&self) -> impl Future<Output = ()> + Send + use<> {
        let hold = self.hold.clone();
        async move {
            match hold {
                Some(hold) => hold.taken_away().await,
                None => std::future::pending().await,
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.limit.open.dec();
        if self.limit.holders().release(self.flow, self.hold.as_deref()) {
            self.limit.all_closed.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests;
