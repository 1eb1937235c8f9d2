//! Sums of quotes, within bounds that no caller can break.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::{Duration, Instant};

use prometheus_client::metrics::counter::Counter;
use quoting::QuotingError;

use super::counters::Counters;
use super::key::Key;
use super::line::{Kind, Line, Sum, Whose};
use crate::caller::Tenant;

/// The time between two lines about the same.
pub(super) const INTERVAL: Duration = Duration::from_secs(10);

/// Kinds of quotes that are told apart at a time, besides one for each tenant.
pub(super) const KEYS: usize = 1_024;

/// Lines about new kinds in a second, besides one for each tenant.
pub(super) const LINES: usize = 50;

/// Tenants that are told apart when there are too many kinds of quotes.
pub(super) const TENANTS: usize = 256;

/// All that is not logged yet, and what is remembered of what was: of quotes that were made, or of failures.
///
/// A tenant may have as many kinds as are still free: half of them when it is alone, a third each when there are two, and so
/// on. Whoever comes next finds as much, and at least one.
pub(super) struct Ledger {
    kind: Kind,
    keys: HashMap<Key, Account>,
    tenants: HashMap<Tenant, Budget>,
    others: Pending,
    counters: Counters,
    /// Lines about new kinds since `second`.
    lines: usize,
    second: Instant,
}

/// Quotes of one kind.
struct Account {
    pending: Pending,
    reason: Option<Arc<str>>,
    counter: Counter,
}

/// What one tenant has taken, and those of its quotes that are not told apart.
struct Budget {
    keys: usize,
    lines: usize,
    others: Pending,
}

/// Quotes that are not logged yet.
struct Pending {
    sum: Sum,
    /// When there was a line about them, or the first one came.
    since: Instant,
}

impl Ledger {
    pub(super) fn new(kind: Kind, counters: Counters, now: Instant) -> Self {
        let others = Pending::new(now);
        let (keys, tenants) = (HashMap::new(), HashMap::new());
        Self { kind, keys, tenants, others, counters, lines: 0, second: now }
    }

    /// Enters a quote, and says what is to be logged at once.
    pub(super) fn enter(
        &mut self,
        key: Key,
        error: Option<&QuotingError>,
        latency: Duration,
        now: Instant,
    ) -> Option<Line> {
        if let Some(account) = self.keys.get_mut(&key) {
            account.counter.inc();
            account.pending.sum.add(latency);
            return None;
        }
        let counter = self.counters.of(&key);
        counter.inc();
        self.begin_second(now);
        let free_keys = KEYS.saturating_sub(self.keys.len());
        let free_lines = LINES.saturating_sub(self.lines);
        let Some(budget) = self.budget(&key.tenant, now) else {
            self.others.add(latency, now);
            return None;
        };
        if !budget.spend(free_keys, free_lines) {
            budget.others.add(latency, now);
            return None;
        }
        self.lines = self.lines.saturating_add(1);
        let reason = error.map(|error| error.to_string().into());
        let account = Account { pending: Pending::new(now), reason, counter };
        let whose = account.whose(&key);
        self.keys.insert(key, account);
        Some(Line { whose, sum: Sum::of_one(latency) })
    }

    /// What has waited for long enough. What did not come again meanwhile is forgotten.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Line> {
        self.counters.see(now);
        self.take(now, |pending| pending.is_due(now))
    }

    /// All that is not logged yet, however short it has waited.
    pub(super) fn rest(&mut self) -> Vec<Line> {
        self.take(self.second, |_| true)
    }

    fn take(&mut self, now: Instant, is_due: impl Fn(&Pending) -> bool) -> Vec<Line> {
        let mut lines = self.take_keys(now, &is_due);
        let kind = self.kind;
        self.tenants.retain(|tenant, budget| {
            if !is_due(&budget.others) {
                return true;
            }
            let sum = budget.others.take(now);
            let whose = || Whose::Tenant(tenant.clone(), kind);
            lines.extend(sum.map(|sum| Line { whose: whose(), sum }));
            sum.is_some() || budget.keys > 0
        });
        if is_due(&self.others) {
            let sum = self.others.take(now);
            lines.extend(sum.map(|sum| Line { whose: Whose::Others(kind), sum }));
        }
        lines
    }

    fn take_keys(&mut self, now: Instant, is_due: impl Fn(&Pending) -> bool) -> Vec<Line> {
        let mut lines = Vec::new();
        self.keys.retain(|key, account| {
            if !is_due(&account.pending) {
                return true;
            }
            let sum = account.pending.take(now);
            if let Some(sum) = sum {
                lines.push(Line { whose: account.whose(key), sum });
            } else if let Some(budget) = self.tenants.get_mut(&key.tenant) {
                budget.keys = budget.keys.saturating_sub(1);
            }
            sum.is_some()
        });
        lines
    }

    /// The budget of this tenant, if it is one of those that have one.
    fn budget(&mut self, tenant: &Tenant, now: Instant) -> Option<&mut Budget> {
        let full = self.tenants.len() >= TENANTS;
        match self.tenants.entry(tenant.clone()) {
            Entry::Occupied(budget) => Some(budget.into_mut()),
            Entry::Vacant(_) if full => None,
            Entry::Vacant(place) => {
                Some(place.insert(Budget { keys: 0, lines: 0, others: Pending::new(now) }))
            }
        }
    }

    /// How much is remembered, in keys and tenants.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.keys.len().saturating_add(self.tenants.len())
    }

    fn begin_second(&mut self, now: Instant) {
        if now.saturating_duration_since(self.second) >= Duration::from_secs(1) {
            (self.second, self.lines) = (now, 0);
            self.tenants.values_mut().for_each(|budget| budget.lines = 0);
        }
    }
}

impl Account {
    fn whose(&self, key: &Key) -> Whose {
        Whose::Key { key: Box::new(key.clone()), reason: self.reason.clone() }
    }
}

impl Budget {
    /// Takes a key and a line, if that leaves others as many as this tenant has. Says whether it does.
    fn spend(&mut self, free_keys: usize, free_lines: usize) -> bool {
        let affordable = |spent: usize, free: usize| spent == 0 || spent < free;
        if !affordable(self.keys, free_keys) || !affordable(self.lines, free_lines) {
            return false;
        }
        self.keys = self.keys.saturating_add(1);
        self.lines = self.lines.saturating_add(1);
        true
    }
}

impl Pending {
    fn new(since: Instant) -> Self {
        Self { sum: Sum::default(), since }
    }

    fn add(&mut self, latency: Duration, now: Instant) {
        if self.sum.quotes == 0 {
            self.since = now;
        }
        self.sum.add(latency);
    }

    fn is_due(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) >= INTERVAL
    }

    /// What is there, if anything; the next ones wait from now on.
    fn take(&mut self, now: Instant) -> Option<Sum> {
        self.since = now;
        let sum = std::mem::take(&mut self.sum);
        (sum.quotes > 0).then_some(sum)
    }
}
