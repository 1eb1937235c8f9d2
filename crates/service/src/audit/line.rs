//! An aggregate of quotes as a line in the log.

use std::sync::Arc;
use std::time::Duration;

use tracing::info;

use super::key::Key;
use crate::caller::Tenant;

/// The value of fields that differ within an aggregate.
const OTHERS: &str = "others";

/// Quotes, and the longest time that one of them took.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Aggregate {
    pub(super) quotes: u64,
    longest: Duration,
}

/// A line of the log.
pub(super) struct Line {
    pub(super) subject: Subject,
    pub(super) aggregate: Aggregate,
}

/// The party that an aggregate belongs to.
pub(super) enum Subject {
    /// A key, and the reason of the first failure.
    Key { key: Box<Key>, reason: Option<Arc<str>> },
    /// The quotes of a tenant beyond its keys.
    Tenant(Tenant, Kind),
    /// The quotes of tenants beyond those with a budget.
    Others(Kind),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Quotes that were made.
    Quotes,
    /// Requests that failed.
    Failures,
}

impl Aggregate {
    pub(super) fn of_one(latency: Duration) -> Self {
        Self { quotes: 1, longest: latency }
    }

    pub(super) fn add(&mut self, latency: Duration) {
        self.quotes = self.quotes.saturating_add(1);
        self.longest = self.longest.max(latency);
    }

    fn latency_us(&self) -> u64 {
        u64::try_from(self.longest.as_micros()).unwrap_or(u64::MAX)
    }
}

impl Line {
    pub(super) fn log(&self) {
        let Aggregate { quotes, .. } = self.aggregate;
        let latency_us = self.aggregate.latency_us();
        match &self.subject {
            Subject::Key { key, reason } => log(key, reason.as_deref(), self.aggregate),
            Subject::Tenant(tenant, kind) => log_tenant(tenant, *kind, self.aggregate),
            Subject::Others(kind) => {
                let (mrenclave, outcome) = (kind.mrenclave(), kind.outcome());
                info!(target: "audit", uid = OTHERS, mrenclave, outcome, latency_us, quotes, "quote");
            }
        }
    }
}

impl Kind {
    fn mrenclave(self) -> Option<&'static str> {
        (self == Self::Quotes).then_some(OTHERS)
    }

    fn outcome(self) -> &'static str {
        match self {
            Self::Quotes => "SUCCESS",
            Self::Failures => OTHERS,
        }
    }
}

fn log(key: &Key, reason: Option<&str>, aggregate: Aggregate) {
    let enclave = key.enclave();
    info!(
        target: "audit",
        uid = key.uid,
        gid = key.gid,
        pid = (key.pid > 0).then_some(key.pid),
        pod = key.pod(),
        container = key.container(),
        mrenclave = enclave.map(|enclave| display(enclave.mr_enclave)),
        mrsigner = enclave.map(|enclave| display(enclave.mr_signer)),
        isv_prod_id = enclave.map(|enclave| enclave.isv_prod_id),
        isv_svn = enclave.map(|enclave| enclave.isv_svn),
        debug = enclave.map(|enclave| enclave.debug),
        outcome = key.outcome.name(),
        reason,
        latency_us = aggregate.latency_us(),
        quotes = aggregate.quotes,
        "quote"
    );
}

fn log_tenant(tenant: &Tenant, kind: Kind, aggregate: Aggregate) {
    let (mut pod, mut container, mut uid, mut first_uid) = (None, None, None, None);
    match tenant {
        Tenant::Pod(name) => pod = Some(&**name),
        Tenant::Container(id) => container = Some(&**id),
        Tenant::User(user) => uid = Some(*user),
        Tenant::UidRange(first) => first_uid = Some(*first),
    }
    info!(
        target: "audit",
        uid,
        first_uid,
        pod,
        container,
        mrenclave = kind.mrenclave(),
        outcome = kind.outcome(),
        latency_us = aggregate.latency_us(),
        quotes = aggregate.quotes,
        "quote"
    );
}
