//! A sum of quotes as a line in the log.

use std::sync::Arc;
use std::time::Duration;

use tracing::info;

use super::key::Key;
use crate::caller::Tenant;

/// Instead of what differs between the quotes of a sum.
const OTHERS: &str = "others";

/// Quotes, and the longest time that one of them took.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    pub(super) quotes: u64,
    longest: Duration,
}

/// What is logged.
pub(super) struct Line {
    pub(super) whose: Whose,
    pub(super) sum: Sum,
}

/// Whose quotes a sum is of.
pub(super) enum Whose {
    /// Quotes that are alike, and why the first of them was not made.
    Key { key: Box<Key>, reason: Option<Arc<str>> },
    /// Quotes of one tenant that are not told apart, or its failures.
    Tenant(Tenant, Kind),
    /// Quotes that are not told apart, or failures.
    Others(Kind),
}

/// What a sum is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Quotes that were made.
    Quotes,
    /// Requests that failed, for one reason or another.
    Failures,
}

impl Sum {
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
        let Sum { quotes, .. } = self.sum;
        let latency_us = self.sum.latency_us();
        match &self.whose {
            Whose::Key { key, reason } => log(key, reason.as_deref(), self.sum),
            Whose::Tenant(tenant, kind) => log_tenant(tenant, *kind, self.sum),
            Whose::Others(kind) => {
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

fn log(key: &Key, reason: Option<&str>, sum: Sum) {
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
        latency_us = sum.latency_us(),
        quotes = sum.quotes,
        "quote"
    );
}

fn log_tenant(tenant: &Tenant, kind: Kind, sum: Sum) {
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
        latency_us = sum.latency_us(),
        quotes = sum.quotes,
        "quote"
    );
}
