//! The leases of each tenant and of each of its users, counted.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use quoting::Flow;

use super::revocable::{Revocable, RevocableLeases};

/// Tenants without leases that are kept, so that a recurring tenant costs no allocation.
const MAX_IDLE_TENANTS: usize = 1_024;

/// One part in so many is reserved for tenants without a lease.
const RESERVED_PART: usize = 16;

/// The size of the resource.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quota {
    pub(crate) total: usize,
    pub(crate) per_tenant: usize,
    pub(crate) revoke: Revoke,
}

/// The lease to revoke when none is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Revoke {
    /// The least recently active one, even for another lease of the same tenant.
    Oldest,
    /// The one taken last, which has waited least. Never for the same tenant: that would be the new
    /// lease itself.
    Newest,
}

/// The reason why a lease is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exceeded {
    /// The tenant has reached its quota.
    Tenant,
    /// Nothing is left, and no tenant has more leases than this one.
    Total,
}

/// All leases.
#[derive(Default)]
pub(super) struct Usage {
    tenants: HashMap<u64, TenantUsage>,
    /// Without revoked leases.
    taken: usize,
    /// With revoked leases that are not released yet.
    open: usize,
}

#[derive(Default)]
struct TenantUsage {
    taken: usize,
    /// By class.
    users: BTreeMap<u8, UserUsage>,
}

#[derive(Default)]
struct UserUsage {
    taken: usize,
    revocable: RevocableLeases,
}

impl Usage {
    pub(super) fn open(&self) -> usize {
        self.open
    }

    /// Counts a lease for this flow, if necessary by revoking another one.
    pub(super) fn take(&mut self, flow: Flow, quota: &Quota) -> Result<(), Exceeded> {
        let tenant = self.tenant(flow.tenant);
        let (of_tenant, of_user) = (tenant.taken, tenant.user(flow.user).taken);
        if of_tenant >= quota.per_tenant {
            if !self.revoke_from_user(flow.tenant, of_user.saturating_add(1), quota.revoke) {
                return Err(Exceeded::Tenant);
            }
        } else if !self.has_room(of_tenant, quota) && !self.make_room(flow, of_tenant, quota) {
            return Err(Exceeded::Total);
        }
        self.taken = self.taken.saturating_add(1);
        self.open = self.open.saturating_add(1);
        let tenant = self.tenant(flow.tenant);
        tenant.taken = tenant.taken.saturating_add(1);
        let user = tenant.user(flow.user);
        user.taken = user.taken.saturating_add(1);
        Ok(())
    }

    /// Removes a lease. True if it was the last.
    pub(super) fn release(&mut self, flow: Flow, revocable: Option<&Revocable>) -> bool {
        if let Some(revocable) = revocable {
            self.tenant(flow.tenant).user(flow.user).revocable.remove(revocable);
        }
        if !revocable.is_some_and(Revocable::is_revoked) {
            self.uncount(flow);
        }
        self.open = self.open.saturating_sub(1);
        self.open == 0
    }

    /// Makes one lease of this flow revocable.
    pub(super) fn add_revocable(&mut self, flow: Flow, now: u64) -> Arc<Revocable> {
        self.tenant(flow.tenant).user(flow.user).revocable.add(now)
    }

    /// Revokes a lease of the largest tenant that has more than this and a revocable one.
    pub(super) fn revoke_from_largest(&mut self, more_than: usize, revoke: Revoke) -> bool {
        let tenants = self.tenants.iter().map(|(number, tenant)| (tenant.taken, *number));
        let mut larger: Vec<_> = tenants.filter(|(taken, _)| *taken > more_than).collect();
        larger.sort_unstable_by_key(|tenant| Reverse(*tenant));
        larger.into_iter().any(|(_, tenant)| self.revoke_from_user(tenant, 0, revoke))
    }

    fn has_room(&self, of_tenant: usize, quota: &Quota) -> bool {
        let reserved = if of_tenant == 0 { 0 } else { quota.total / RESERVED_PART };
        self.taken < quota.total.saturating_sub(reserved)
    }

    /// Revokes a lease of a tenant that still has more than this one afterwards, or of this one.
    fn make_room(&mut self, flow: Flow, of_tenant: usize, quota: &Quota) -> bool {
        self.revoke_from_largest(of_tenant.saturating_add(1), quota.revoke)
            || (quota.revoke == Revoke::Oldest
                && self.revoke_from_user(flow.tenant, 0, quota.revoke))
    }

    /// Revokes a lease of the tenant's largest user that has more than this and a revocable one.
    fn revoke_from_user(&mut self, tenant: u64, more_than: usize, revoke: Revoke) -> bool {
        let users = self.tenant(tenant).users.iter_mut();
        let mut larger: Vec<_> = users.filter(|(_, user)| user.taken > more_than).collect();
        larger.sort_unstable_by_key(|(_, user)| Reverse(user.taken));
        let found = larger.into_iter().find_map(|(class, user)| {
            let revoked = match revoke {
                Revoke::Oldest => user.revocable.revoke_oldest(),
                Revoke::Newest => user.revocable.revoke_newest(),
            };
            revoked.then_some(*class)
        });
        found.inspect(|&user| self.uncount(Flow { tenant, user })).is_some()
    }

    fn uncount(&mut self, flow: Flow) {
        self.taken = self.taken.saturating_sub(1);
        let tenant = self.tenant(flow.tenant);
        tenant.taken = tenant.taken.saturating_sub(1);
        let user = tenant.user(flow.user);
        user.taken = user.taken.saturating_sub(1);
    }

    /// The number of tenants that are kept.
    #[cfg(test)]
    pub(super) fn tenants(&self) -> usize {
        self.tenants.len()
    }

    fn tenant(&mut self, number: u64) -> &mut TenantUsage {
        if self.tenants.len() > MAX_IDLE_TENANTS && !self.tenants.contains_key(&number) {
            self.tenants.retain(|_, tenant| tenant.taken > 0);
        }
        self.tenants.entry(number).or_default()
    }
}

impl TenantUsage {
    fn user(&mut self, class: u8) -> &mut UserUsage {
        self.users.entry(class).or_default()
    }
}
