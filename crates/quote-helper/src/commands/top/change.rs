//! The change of counters from one scrape to the next.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::samples::{Labels, Samples};

/// Counters that decrease only when another process answers. Those of callers are not among them,
/// since a service may forget a caller.
const COUNTERS: [&str; 6] = [
    "quote_helper_request_seconds_count",
    "quote_helper_unanswered_requests_total",
    "quote_helper_worker_ends_total",
    "quote_helper_hand_overs_total",
    "quote_helper_busy_refusals_total",
    "quote_helper_policy_refusals_total",
];

/// Metrics that are constant during the life of a process.
const CONSTANTS: [&str; 2] = ["quote_helper_service_info", "quote_helper_start_timestamp_seconds"];

/// The current samples, and earlier ones of the same process.
pub(super) struct Change<'a> {
    before: Option<(&'a Samples, Duration)>,
    now: &'a Samples,
    /// True if another process has answered than before.
    pub(super) is_restart: bool,
}

/// The number of events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Count {
    /// Since the start of the service.
    pub(super) total: u64,
    /// Since the previous view.
    pub(super) new: Option<u64>,
    pub(super) per_second: Option<f64>,
}

impl<'a> Change<'a> {
    /// The change from earlier samples, with the time since then.
    pub(super) fn new(before: Option<(&'a Samples, Duration)>, now: &'a Samples) -> Self {
        let is_restart = before.is_some_and(|(before, _)| is_restart(before, now));
        Self { before: before.filter(|_| !is_restart), now, is_restart }
    }

    pub(super) fn time(&self) -> Option<Duration> {
        self.before.map(|(_, time)| time)
    }

    pub(super) fn count(&self, name: &str) -> Option<Count> {
        self.counts_by(name, []).remove(&[])
    }

    pub(super) fn counts(&self, name: &str, label: &str) -> BTreeMap<String, Count> {
        let counts = self.counts_by(name, [label]).into_iter();
        counts.map(|([label], count)| (label, count)).collect()
    }

    /// Counters by these labels; a missing label is empty.
    pub(super) fn counts_by<const N: usize>(
        &self,
        name: &str,
        keys: [&str; N],
    ) -> BTreeMap<[String; N], Count> {
        let mut counts = BTreeMap::new();
        for (labels, value) in self.now.named(name) {
            let key = keys.map(|key| labels.get(key).cloned().unwrap_or_default());
            let count = counts.entry(key).or_insert(self.none());
            *count = count.and(self.counter(name, labels, value));
        }
        counts
    }

    fn counter(&self, name: &str, labels: &Labels, value: f64) -> Count {
        let total = value as u64;
        let new = self.before.map(|(before, _)| {
            let before = before.at(name, labels).unwrap_or_default() as u64;
            // A counter that was forgotten meanwhile began at 0 again.
            total.checked_sub(before).unwrap_or(total)
        });
        Count { total, new, per_second: new.map(|new| self.per_second(new)) }
    }

    fn none(&self) -> Count {
        let new = self.before.map(|_| 0);
        Count { total: 0, new, per_second: new.map(|_| 0.0) }
    }

    fn per_second(&self, new: u64) -> f64 {
        let seconds = self.time().unwrap_or_default().as_secs_f64();
        if seconds > 0.0 { new as f64 / seconds } else { 0.0 }
    }
}

impl Count {
    pub(super) fn and(self, other: Self) -> Self {
        let new = self.new.zip(other.new).map(|(one, other)| one.saturating_add(other));
        let per_second = self.per_second.zip(other.per_second).map(|(one, other)| one + other);
        Self { total: self.total.saturating_add(other.total), new, per_second }
    }
}

fn is_restart(before: &Samples, now: &Samples) -> bool {
    let differs =
        |name: &&str| before.named(name).any(|(labels, value)| now.at(name, labels) != Some(value));
    let loses = |name: &&str| {
        before.named(name).any(|(labels, value)| now.at(name, labels).is_none_or(|now| now < value))
    };
    CONSTANTS.iter().any(differs) || COUNTERS.iter().any(loses)
}
