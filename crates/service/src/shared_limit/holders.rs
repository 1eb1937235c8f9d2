//! How much each tenant holds, and each of its users.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use quoting::Flow;

use super::hold::{Hold, Offered};
use super::{Exceeded, Quota, RESERVED_PART, Yields};

/// Tenants that hold nothing and are remembered, so that a tenant that comes again and again costs no allocation.
const REMEMBERED: usize = 1_024;

/// All that is held.
#[derive(Default)]
pub(super) struct Holders {
    tenants: HashMap<u64, Tenant>,
    /// Held by all together, without what has been taken away.
    taken: usize,
    /// Leases, with those that have been taken away.
    open: usize,
}

#[derive(Default)]
struct Tenant {
    taken: usize,
    /// By class.
    users: BTreeMap<u8, User>,
}

#[derive(Default)]
struct User {
    taken: usize,
    offered: Offered,
}

impl Holders {
    pub(super) fn open(&self) -> usize {
        self.open
    }

    /// Counts one more for this flow, if need be one less for another.
    pub(super) fn take(&mut self, flow: Flow, quota: &Quota) -> Result<(), Exceeded> {
        let tenant = self.tenant(flow.tenant);
        let (of_tenant, of_user) = (tenant.taken, tenant.user(flow.user).taken);
        if of_tenant >= quota.per_tenant {
            if !self.take_from_user(flow.tenant, of_user.saturating_add(1), quota.yields) {
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

    /// Counts one less. Says whether it was the last.
    pub(super) fn release(&mut self, flow: Flow, hold: Option<&Hold>) -> bool {
        if let Some(hold) = hold {
            self.tenant(flow.tenant).user(flow.user).offered.remove(hold);
        }
        if !hold.is_some_and(Hold::is_gone) {
            self.uncount(flow);
        }
        self.open = self.open.saturating_sub(1);
        self.open == 0
    }

    /// Makes one of this flow known as one that can be taken away.
    pub(super) fn offer(&mut self, flow: Flow, now: u64) -> Arc<Hold> {
        self.tenant(flow.tenant).user(flow.user).offered.add(now)
    }

    /// Takes one away from the largest tenant that holds more than this and has one to give.
    pub(super) fn take_from_largest(&mut self, more_than: usize, yields: Yields) -> bool {
        let tenants = self.tenants.iter().map(|(number, tenant)| (tenant.taken, *number));
        let mut larger: Vec<_> = tenants.filter(|(taken, _)| *taken > more_than).collect();
        larger.sort_unstable_by_key(|tenant| Reverse(*tenant));
        larger.into_iter().any(|(_, tenant)| self.take_from_user(tenant, 0, yields))
    }

    /// Whether there is room for a tenant that holds so much.
    fn has_room(&self, taken: usize, quota: &Quota) -> bool {
        let reserved = if taken == 0 { 0 } else { quota.total / RESERVED_PART };
        self.taken < quota.total.saturating_sub(reserved)
    }

    /// Takes one away from a tenant that holds more than this one even after that, or from this one itself.
    fn make_room(&mut self, flow: Flow, taken: usize, quota: &Quota) -> bool {
        self.take_from_largest(taken.saturating_add(1), quota.yields)
            || (quota.yields == Yields::Oldest && self.take_from_user(flow.tenant, 0, quota.yields))
    }

    /// Takes one away from the largest user of this tenant that holds more than this and has one to give.
    fn take_from_user(&mut self, tenant: u64, more_than: usize, yields: Yields) -> bool {
        let users = self.tenant(tenant).users.iter_mut();
        let mut larger: Vec<_> = users.filter(|(_, user)| user.taken > more_than).collect();
        larger.sort_unstable_by_key(|(_, user)| Reverse(user.taken));
        let found = larger
            .into_iter()
            .find_map(|(class, user)| user.offered.take_away(yields).then_some(*class));
        found.inspect(|&user| self.uncount(Flow { tenant, user })).is_some()
    }

    fn uncount(&mut self, flow: Flow) {
        self.taken = self.taken.saturating_sub(1);
        let tenant = self.tenant(flow.tenant);
        tenant.taken = tenant.taken.saturating_sub(1);
        let user = tenant.user(flow.user);
        user.taken = user.taken.saturating_sub(1);
    }

    /// How many are remembered.
    #[cfg(test)]
    pub(super) fn tenants(&self) -> usize {
        self.tenants.len()
    }

    fn tenant(&mut self, number: u64) -> &mut Tenant {
        if self.tenants.len() > REMEMBERED && !self.tenants.contains_key(&number) {
            self.tenants.retain(|_, tenant| tenant.taken > 0);
        }
        self.tenants.entry(number).or_default()
    }
}

impl Tenant {
    fn user(&mut self, class: u8) -> &mut User {
        self.users.entry(class).or_default()
    }
}
