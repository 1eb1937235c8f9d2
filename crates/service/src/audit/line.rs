//! A sum of quotes as a line in the log.

use std::sync::Arc;
use std::time::Duration;

use tracing::info;

use super::key::Key;

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
    /// Quotes of one user that are not told apart.
    User(u32),
    /// Quotes that are not told apart.
    Others,
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
        let mrenclave = "others";
        match &self.whose {
            Whose::Key { key, reason } => log(key, reason.as_deref(), self.sum),
            Whose::User(uid) => info!(target: "audit", uid, mrenclave, latency_us, quotes, "quote"),
            Whose::Others => {
                info!(target: "audit", uid = "others", mrenclave, latency_us, quotes, "quote");
            }
        }
    }
}

fn log(key: &Key, reason: Option<&str>, sum: Sum) {
    info!(
        target: "audit",
        uid = key.uid,
        gid = key.gid,
        pid = (key.pid > 0).then_some(key.pid),
        pod = key.pod(),
        container = key.container(),
        mrenclave = %key.mr_enclave,
        mrsigner = %key.mr_signer,
        isv_prod_id = key.isv_prod_id,
        isv_svn = key.isv_svn,
        debug = key.debug,
        outcome = key.outcome(),
        reason,
        latency_us = sum.latency_us(),
        quotes = sum.quotes,
        "quote"
    );
}
