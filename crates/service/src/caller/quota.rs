//! A limited resource that tenants share: connections, or queued quotes.
//!
//! ```text
//! quota/usage.rs      leases held by each tenant and user; the choice of whom to take one from
//! quota/revocable.rs  leases that can be revoked
//! ```
//!
//! A tenant may take leases up to its quota as long as some are left; a part is reserved for
//! tenants without any. When none is left, the tenant with the most loses one to a tenant with
//! fewer. Within a tenant that has reached its quota, the user with the most loses one.

mod revocable;
mod usage;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};
use prometheus_client::metrics::gauge::Gauge;
use quoting::Flow;
use tokio::sync::Notify;

use revocable::Revocable;
use usage::Usage;

pub(crate) use usage::{Exceeded, Quota, Revoke};

/// The leases of all tenants on one resource.
pub(crate) struct Quotas {
    quota: RwLock<Quota>,
    usage: Mutex<Usage>,
    /// A logical clock that orders leases by their last activity.
    clock: AtomicU64,
    open: Gauge,
    all_released: Notify,
}

/// One unit of the resource, released on drop.
pub(crate) struct Lease {
    quotas: Arc<Quotas>,
    flow: Flow,
    revocable: Option<Arc<Revocable>>,
}

impl Quotas {
    /// Without any lease. The gauge shows how many there are.
    pub(crate) fn new(quota: Quota, open: Gauge) -> Arc<Self> {
        Arc::new(Self {
            quota: RwLock::new(quota),
            usage: Mutex::default(),
            clock: AtomicU64::default(),
            open,
            all_released: Notify::new(),
        })
    }

    /// Applies to new leases; those above a lowered quota stay.
    pub(crate) fn set(&self, quota: Quota) {
        *self.quota.write() = quota;
    }

    /// Leases one unit to this flow, if necessary by revoking the lease of another.
    ///
    /// # Errors
    /// When nothing is left and no lease can be revoked.
    pub(crate) fn acquire(self: &Arc<Self>, flow: Flow) -> Result<Lease, Exceeded> {
        let quota = *self.quota.read();
        self.usage.lock().take(flow, &quota)?;
        self.open.inc();
        Ok(Lease { quotas: Arc::clone(self), flow, revocable: None })
    }

    /// Revokes one lease of the tenant with the most. False if there is none to revoke.
    pub(crate) fn revoke_one(&self) -> bool {
        let revoke = self.quota.read().revoke;
        self.usage.lock().revoke_from_largest(0, revoke)
    }

    /// The number of leases, including revoked ones that are not released yet.
    pub(crate) fn open(&self) -> i64 {
        self.open.get()
    }

    /// Waits until there is no lease.
    pub(crate) async fn all_released(&self) {
        loop {
            let released = self.all_released.notified();
            if self.usage.lock().open() == 0 {
                return;
            }
            released.await;
        }
    }

    fn now(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::Relaxed)
    }
}

impl Lease {
    /// Lets this lease be revoked from now on; see [`Lease::revoked`].
    pub(crate) fn make_revocable(&mut self) {
        if self.revocable.is_none() {
            let now = self.quotas.now();
            self.revocable = Some(self.quotas.usage.lock().add_revocable(self.flow, now));
        }
    }

    /// Marks the lease as active, and ends a [`Lease::pin`].
    pub(crate) fn touch(&self) {
        if let Some(revocable) = &self.revocable {
            revocable.touch(self.quotas.now());
        }
    }

    /// Protects the lease from revocation until the next [`Lease::touch`].
    pub(crate) fn pin(&self) {
        if let Some(revocable) = &self.revocable {
            revocable.pin();
        }
    }

    /// Completes when this lease is revoked, if ever.
    pub(crate) fn revoked(&self) -> impl Future<Output = ()> + Send + use<> {
        let revocable = self.revocable.clone();
        async move {
            match revocable {
                Some(revocable) => revocable.revoked().await,
                None => std::future::pending().await,
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.quotas.open.dec();
        if self.quotas.usage.lock().release(self.flow, self.revocable.as_deref()) {
            self.quotas.all_released.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests;
