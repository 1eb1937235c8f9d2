//! The turns of callers while several ask.
//!
//! Tenants are served round-robin, and so are the users of each: a request waits for its user's
//! turn within the tenant, and then for the tenant's.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use quoting::Flow;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::identity::Caller;
use super::tenant::Tenant;

/// Flows that are kept, beyond those that are connected.
const MAX_IDLE_FLOWS: usize = 1_024;

/// Callers count as contending for so long after the last change of flow.
const CONTENTION_TIME: Duration = Duration::from_secs(1);

/// The requests of one user of one tenant.
pub(crate) struct UserFlow {
    pub(crate) id: Flow,
    turn: Arc<Semaphore>,
    tenant: Arc<TenantFlow>,
}

/// The requests of one tenant.
struct TenantFlow {
    number: u64,
    turn: Arc<Semaphore>,
}

/// The right to be served, which others wait for until this is dropped.
pub(crate) struct Turn {
    _of_user: OwnedSemaphorePermit,
    _of_tenant: OwnedSemaphorePermit,
}

/// The flows of all callers.
#[derive(Default)]
pub(super) struct Flows(Mutex<KnownFlows>);

#[derive(Default)]
struct KnownFlows {
    users: HashMap<(Tenant, u8), Arc<UserFlow>>,
    tenants: HashMap<Tenant, Arc<TenantFlow>>,
    tenant_count: u64,
    latest: Option<Flow>,
    /// The time of the latest request whose flow was another one than the flow before it.
    changed: Option<Instant>,
}

impl Flows {
    /// The flow of this caller, which has just connected.
    pub(super) fn of(&self, caller: &Caller, now: Instant) -> Arc<UserFlow> {
        let mut flows = self.0.lock();
        let user = flows.user((caller.tenant.clone(), Tenant::user_class(caller.uid)));
        let latest = flows.latest.replace(user.id);
        if latest.is_some_and(|latest| latest != user.id) {
            flows.changed = Some(now);
        }
        user
    }

    /// Tells if several flows have asked recently.
    pub(super) fn contended(&self, now: Instant) -> bool {
        let changed = self.0.lock().changed;
        changed.is_some_and(|changed| now.saturating_duration_since(changed) < CONTENTION_TIME)
    }
}

impl KnownFlows {
    fn user(&mut self, key: (Tenant, u8)) -> Arc<UserFlow> {
        if let Some(user) = self.users.get(&key) {
            return Arc::clone(user);
        }
        if self.users.len() >= MAX_IDLE_FLOWS {
            self.users.retain(|_, user| Arc::strong_count(user) > 1);
            self.tenants.retain(|_, tenant| Arc::strong_count(tenant) > 1);
        }
        let user = Arc::new(UserFlow::new(self.tenant(&key.0), key.1));
        self.users.insert(key, Arc::clone(&user));
        user
    }

    fn tenant(&mut self, tenant: &Tenant) -> Arc<TenantFlow> {
        let count = &mut self.tenant_count;
        let flow = self.tenants.entry(tenant.clone()).or_insert_with(|| {
            *count = count.saturating_add(1);
            Arc::new(TenantFlow { number: *count, turn: one_turn() })
        });
        Arc::clone(flow)
    }
}

impl UserFlow {
    fn new(tenant: Arc<TenantFlow>, user: u8) -> Self {
        let id = Flow { tenant: tenant.number, user };
        Self { id, turn: one_turn(), tenant }
    }

    /// Takes the turn of this flow if its tenant has none taken.
    pub(crate) fn try_turn(&self) -> Option<Turn> {
        let _of_user = Arc::clone(&self.turn).try_acquire_owned().ok()?;
        let _of_tenant = Arc::clone(&self.tenant.turn).try_acquire_owned().ok()?;
        Some(Turn { _of_user, _of_tenant })
    }

    /// Waits for the turn of this flow.
    pub(crate) async fn turn(&self) -> Option<Turn> {
        let _of_user = Arc::clone(&self.turn).acquire_owned().await.ok()?;
        let _of_tenant = Arc::clone(&self.tenant.turn).acquire_owned().await.ok()?;
        Some(Turn { _of_user, _of_tenant })
    }
}

fn one_turn() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(uid: u32) -> Caller {
        Caller { uid, tenant: Tenant::User(uid), ..Caller::UNKNOWN }
    }

    fn in_pod(pod: &str, uid: u32) -> Caller {
        Caller { uid, tenant: Tenant::Pod(pod.into()), ..Caller::UNKNOWN }
    }

    #[test]
    fn users_of_one_pod_are_flows_of_one_tenant() {
        let (flows, now) = (Flows::default(), Instant::now());
        let flow = |caller: &Caller| flows.of(caller, now).id;
        let [a0, a1, b0] = [("a", 0), ("a", 1), ("b", 0)].map(|(pod, uid)| flow(&in_pod(pod, uid)));
        assert_eq!(a0.tenant, a1.tenant);
        assert_ne!(a0.user, a1.user);
        assert_ne!(a0.tenant, b0.tenant);
        assert_ne!(flow(&user(0)).tenant, a0.tenant);
        assert_eq!(flow(&in_pod("a", 0)), a0);
    }

    #[test]
    fn a_tenant_has_one_turn_however_many_users_it_has() {
        let (flows, now) = (Flows::default(), Instant::now());
        let turn = flows.of(&in_pod("a", 0), now).try_turn();
        assert!(turn.is_some());
        assert!(flows.of(&in_pod("a", 0), now).try_turn().is_none());
        assert!(flows.of(&in_pod("a", 1), now).try_turn().is_none());
        assert!(flows.of(&in_pod("b", 0), now).try_turn().is_some());
        drop(turn);
        assert!(flows.of(&in_pod("a", 1), now).try_turn().is_some());
    }

    #[tokio::test]
    async fn two_users_of_one_tenant_alternate_however_many_requests_one_has() {
        let (flows, now) = (Flows::default(), Instant::now());
        let first = flows.of(&in_pod("a", 0), now).turn().await;
        let turns = Arc::new(Mutex::new(Vec::new()));
        let mut waiting = tokio::task::JoinSet::new();
        for uid in [0, 0, 0, 0, 1, 1] {
            let (flow, turns) = (flows.of(&in_pod("a", uid), now), Arc::clone(&turns));
            waiting.spawn(async move {
                let _turn = flow.turn().await;
                turns.lock().push(uid);
            });
            tokio::task::yield_now().await;
        }
        drop(first);
        while waiting.join_next().await.is_some() {}
        assert_eq!(turns.lock()[..4], [1, 0, 1, 0]);
    }

    #[test]
    fn a_single_caller_is_not_contended() {
        let (flows, now) = (Flows::default(), Instant::now());
        flows.of(&user(0), now);
        flows.of(&user(0), now);
        assert!(!flows.contended(now));
        flows.of(&user(1), now);
        assert!(flows.contended(now));
        assert!(!flows.contended(now + CONTENTION_TIME));
    }

    #[test]
    fn disconnected_callers_are_forgotten_when_there_are_many() {
        let (flows, now) = (Flows::default(), Instant::now());
        let connected = flows.of(&user(7), now);
        for uid in 100..(100 + 3 * MAX_IDLE_FLOWS as u32) {
            flows.of(&user(uid), now);
        }
        assert!(flows.0.lock().users.len() <= MAX_IDLE_FLOWS + 1);
        assert!(flows.0.lock().tenants.len() <= MAX_IDLE_FLOWS + 1);
        assert_eq!(flows.of(&user(7), now).id, connected.id);
    }
}
