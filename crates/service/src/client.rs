//! A client that is connected: who it is, and what it holds of what there is for all.

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Instant;

use prometheus_client::metrics::gauge::Gauge;

use crate::caller::{Caller, Callers};
use crate::flows::{Flows, UserFlow};
use crate::limits::Limits;
use crate::shared_limit::{Lease, Quota, SharedLimit, Yields};

/// A client, until its connection ends.
pub(crate) struct Client {
    pub(crate) caller: Caller,
    pub(crate) flow: Arc<UserFlow>,
    /// Its connection, among those of all.
    pub(crate) lease: Lease,
    is_within_quota: bool,
}

/// Knows clients by their connections.
pub(crate) struct Clients {
    callers: Callers,
    pub(crate) flows: Flows,
    connections: Arc<SharedLimit>,
    /// Connections beyond a quota, which are told so and closed.
    rejections: Arc<SharedLimit>,
}

fn connections(limits: &Limits) -> Quota {
    oldest(limits.connections, limits.connections_per_caller)
}

fn oldest(total: usize, per_tenant: usize) -> Quota {
    Quota { total, per_tenant, yields: Yields::Oldest }
}

impl Clients {
    /// Nobody is connected; the gauge shows how many are.
    pub(crate) fn new(limits: &Limits, open: &Gauge) -> Self {
        let rejections = oldest(Limits::REJECTIONS, Limits::REJECTIONS);
        Self {
            callers: Callers::default(),
            flows: Flows::default(),
            connections: SharedLimit::new(connections(limits), open.clone()),
            rejections: SharedLimit::new(rejections, open.clone()),
        }
    }

    /// Admits clients within these limits from now on.
    pub(crate) fn set_limits(&self, limits: &Limits) {
        self.connections.set_quota(connections(limits));
    }

    /// The client at the other end, which holds a connection from now on. With no room at all, not even to say so, there
    /// is none.
    pub(crate) fn identify(&self, stream: &UnixStream, now: Instant) -> Option<Client> {
        let caller = self.callers.identify(stream, now);
        let flow = self.flows.of(&caller, now);
        let lease = self.connections.take(flow.flow);
        let is_within_quota = lease.is_ok();
        let lease = lease.or_else(|_| self.rejections.take(flow.flow)).ok()?;
        Some(Client { caller, flow, lease, is_within_quota })
    }

    /// Closes the connection that has been idle for longest of the tenant that has the most.
    pub(crate) fn close_oldest_of_largest(&self) {
        self.connections.shrink();
    }

    /// How many are connected.
    pub(crate) fn open(&self) -> i64 {
        self.connections.open()
    }

    /// Waits until nobody is connected.
    pub(crate) async fn all_closed(&self) {
        self.connections.all_closed().await;
        self.rejections.all_closed().await;
    }
}

impl Client {
    /// Whether there was room for its connection.
    pub(crate) fn is_within_quota(&self) -> bool {
        self.is_within_quota
    }
}
