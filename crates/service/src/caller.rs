//! Callers, and fairness among them, from an accepted connection to its turn.
//!
//! 1. `identity.rs` reads the peer credentials and names the tenant of the process (`tenant.rs`):
//!    its pod or container (`workload.rs`), or its user, subordinate uids included
//!    (`uid_ranges.rs`).
//! 2. `quota.rs` limits how many connections each tenant has and, in `../admission.rs`, how many
//!    quotes it has queued. When all are taken, the tenant with the most loses one.
//! 3. While several callers ask, they are served round-robin, tenants first and then the users of
//!    each: `flow.rs` at the socket, `../workers/fair_queue.rs` in the queue of quotes.
//!
//! A single caller never waits for a turn.

mod flow;
mod identity;
mod quota;
mod tenant;
mod uid_ranges;
mod workload;

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Instant;

use prometheus_client::metrics::gauge::Gauge;

use crate::limits::Limits;

pub(crate) use flow::{Turn, UserFlow};
pub(crate) use identity::Caller;
pub(crate) use quota::{Exceeded, Lease, Quota, Quotas, Revoke};
pub(crate) use tenant::Tenant;
pub(crate) use workload::Workload;

use flow::Flows;
use identity::CallerCache;

/// A connected client: its caller, its flow and its connection's place among all.
pub(crate) struct Client {
    pub(crate) caller: Caller,
    pub(crate) flow: Arc<UserFlow>,
    pub(crate) lease: Lease,
    within_quota: bool,
}

/// All callers and their connections.
pub(crate) struct Callers {
    cache: CallerCache,
    flows: Flows,
    connections: Arc<Quotas>,
    /// Connections beyond a quota, which get one reply (`AESM_BUSY`) and are closed.
    rejections: Arc<Quotas>,
}

impl Callers {
    /// Without any connection. The gauge shows how many are open.
    pub(crate) fn new(limits: &Limits, open: &Gauge) -> Self {
        let rejections = quota(Limits::REJECTIONS, Limits::REJECTIONS);
        Self {
            cache: CallerCache::default(),
            flows: Flows::default(),
            connections: Quotas::new(connections(limits), open.clone()),
            rejections: Quotas::new(rejections, open.clone()),
        }
    }

    /// Applies these limits to new connections.
    pub(crate) fn set_limits(&self, limits: &Limits) {
        self.connections.set(connections(limits));
    }

    /// Identifies the client at the other end and leases it a connection. `None` when there is not
    /// even room to reject it.
    pub(crate) fn admit(&self, stream: &UnixStream, now: Instant) -> Option<Client> {
        let caller = self.cache.identify(stream, now);
        let flow = self.flows.of(&caller, now);
        let lease = self.connections.acquire(flow.id);
        let within_quota = lease.is_ok();
        let lease = lease.or_else(|_| self.rejections.acquire(flow.id)).ok()?;
        Some(Client { caller, flow, lease, within_quota })
    }

    /// Tells if several callers ask, so that each request needs a [`Turn`].
    pub(crate) fn contended(&self, now: Instant) -> bool {
        self.flows.contended(now)
    }

    /// Closes the least recently active connection of the tenant with the most connections.
    pub(crate) fn close_oldest_of_largest(&self) {
        self.connections.revoke_one();
    }

    /// The number of open connections.
    pub(crate) fn open(&self) -> i64 {
        self.connections.open()
    }

    /// Waits until no connection is open.
    pub(crate) async fn all_closed(&self) {
        self.connections.all_released().await;
        self.rejections.all_released().await;
    }
}

impl Client {
    /// Tells if the connection is within its tenant's quota.
    pub(crate) fn within_quota(&self) -> bool {
        self.within_quota
    }
}

fn connections(limits: &Limits) -> Quota {
    quota(limits.connections, limits.connections_per_caller)
}

fn quota(total: usize, per_tenant: usize) -> Quota {
    Quota { total, per_tenant, revoke: Revoke::Oldest }
}
