//! Aggregates of quotes, within bounds that no caller can break.

use std::collections::{HashMap, hash_map};
use std::sync::Arc;
use std::time::{Duration, Instant};

use prometheus_client::metrics::counter::Counter;
use quoting::QuotingError;

use super::counters::Counters;
use super::key::Key;
use super::line::{Aggregate, Kind, Line, Subject};
use crate::caller::Tenant;

/// The time between two lines of one key.
pub(super) const INTERVAL: Duration = Duration::from_secs(10);

/// Maximum keys at a time, besides one for each tenant.
pub(super) const MAX_KEYS: usize = 1_024;

/// Maximum lines about new keys per second, besides one for each tenant.
pub(super) const MAX_LINES: usize = 50;

/// Maximum tenants that have aggregates of their own.
pub(super) const MAX_TENANTS: usize = 256;

/// The aggregates of quotes, or of failures, that are not logged yet or were logged recently.
///
/// A tenant may have as many keys as are still free: half of all when it is alone, a third when
/// there are two, and so on. The next tenant finds as many free, and always one.
pub(super) struct Aggregator {
    kind: Kind,
    keys: HashMap<Key, Entry>,
    tenants: HashMap<Tenant, Budget>,
    others: Pending,
    counters: Counters,
    /// Lines about new keys since `second`.
    lines: usize,
    second: Instant,
}

/// The quotes with one key.
struct Entry {
    pending: Pending,
    reason: Option<Arc<str>>,
    counter: Counter,
}

/// The keys and lines that one tenant has used, and its quotes beyond them.
struct Budget {
    keys: usize,
    lines: usize,
    others: Pending,
}

/// Quotes that are not logged yet.
struct Pending {
    aggregate: Aggregate,
    /// The time of the latest line about them, or of the first one.
    since: Instant,
}

impl Aggregator {
    pub(super) fn new(kind: Kind, counters: Counters, now: Instant) -> Self {
        let others = Pending::new(now);
        let (keys, tenants) = (HashMap::new(), HashMap::new());
        Self { kind, keys, tenants, others, counters, lines: 0, second: now }
    }

    /// Adds a quote. Returns the line that must be logged at once, if any.
    pub(super) fn add(
        &mut self,
        key: Key,
        error: Option<&QuotingError>,
        latency: Duration,
        now: Instant,
    ) -> Option<Line> {
        if let Some(entry) = self.keys.get_mut(&key) {
            entry.counter.inc();
            entry.pending.aggregate.add(latency);
            return None;
        }
        let counter = self.counters.of(&key);
        counter.inc();
        self.begin_second(now);
        let free_keys = MAX_KEYS.saturating_sub(self.keys.len());
        let free_lines = MAX_LINES.saturating_sub(self.lines);
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
        let entry = Entry { pending: Pending::new(now), reason, counter };
        let subject = entry.subject(&key);
        self.keys.insert(key, entry);
        Some(Line { subject, aggregate: Aggregate::of_one(latency) })
    }

    /// The lines that are due. Keys and tenants without new quotes are forgotten.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Line> {
        self.counters.refresh(now);
        self.take(now, |pending| pending.is_due(now))
    }

    /// The lines of all quotes that are not logged yet.
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
            let aggregate = budget.others.take(now);
            let subject = || Subject::Tenant(tenant.clone(), kind);
            lines.extend(aggregate.map(|aggregate| Line { subject: subject(), aggregate }));
            aggregate.is_some() || budget.keys > 0
        });
        if is_due(&self.others) {
            let subject = Subject::Others(kind);
            lines.extend(self.others.take(now).map(|aggregate| Line { subject, aggregate }));
        }
        lines
    }

    fn take_keys(&mut self, now: Instant, is_due: impl Fn(&Pending) -> bool) -> Vec<Line> {
        let mut lines = Vec::new();
        self.keys.retain(|key, entry| {
            if !is_due(&entry.pending) {
                return true;
            }
            let aggregate = entry.pending.take(now);
            if let Some(aggregate) = aggregate {
                lines.push(Line { subject: entry.subject(key), aggregate });
            } else if let Some(budget) = self.tenants.get_mut(&key.tenant) {
                budget.keys = budget.keys.saturating_sub(1);
            }
            aggregate.is_some()
        });
        lines
    }

    /// The budget of this tenant; `None` when there are too many tenants.
    fn budget(&mut self, tenant: &Tenant, now: Instant) -> Option<&mut Budget> {
        let full = self.tenants.len() >= MAX_TENANTS;
        match self.tenants.entry(tenant.clone()) {
            hash_map::Entry::Occupied(budget) => Some(budget.into_mut()),
            hash_map::Entry::Vacant(_) if full => None,
            hash_map::Entry::Vacant(place) => {
                Some(place.insert(Budget { keys: 0, lines: 0, others: Pending::new(now) }))
            }
        }
    }

    /// The number of keys and tenants in memory.
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

impl Entry {
    fn subject(&self, key: &Key) -> Subject {
        Subject::Key { key: Box::new(key.clone()), reason: self.reason.clone() }
    }
}

impl Budget {
    /// Takes a key and a line if as many as this tenant has are left for others. False if not.
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
        Self { aggregate: Aggregate::default(), since }
    }

    fn add(&mut self, latency: Duration, now: Instant) {
        if self.aggregate.quotes == 0 {
            self.since = now;
        }
        self.aggregate.add(latency);
    }

    fn is_due(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) >= INTERVAL
    }

    /// Takes the quotes, if any. The interval of the next ones begins now.
    fn take(&mut self, now: Instant) -> Option<Aggregate> {
        self.since = now;
        let aggregate = std::mem::take(&mut self.aggregate);
        (aggregate.quotes > 0).then_some(aggregate)
    }
}
