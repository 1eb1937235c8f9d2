//! Quotes as metrics, with a bounded number of label sets.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::key::Key;
use crate::caller::Tenant;

/// Maximum label sets of quotes, and as many of failures, besides one for all others.
pub(super) const MAX_LABEL_SETS: usize = 99;

/// The time without a count after which a label set may be replaced: by then it has been scraped.
pub(super) const IDLE_TIME: Duration = Duration::from_secs(5 * 60);

/// The value of labels that are unknown without a quote.
const UNCHECKED: &str = "unchecked";

/// The metric of all counters.
pub(super) type CallerQuotes = Family<Labels, Counter>;

/// A counter for each label set, and one for all others. A tenant may have as many sets as are
/// still free.
pub(super) struct Counters {
    family: CallerQuotes,
    sets: HashMap<Labels, LabelSet>,
    now: Option<Instant>,
    /// No label set can be added before the next refresh.
    full: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Labels {
    uid: String,
    pod: String,
    mrenclave: String,
    debug: &'static str,
    outcome: &'static str,
}

/// A counter, and its latest change that was noticed.
struct LabelSet {
    tenant: Tenant,
    counter: Counter,
    value: u64,
    changed: Option<Instant>,
}

/// Adds the metric to this registry.
pub(super) fn register(registry: &mut Registry) -> CallerQuotes {
    let family = CallerQuotes::default();
    let help = "Requests for quotes, by caller and outcome";
    registry.register("caller_quotes", help, family.clone());
    family
}

impl Counters {
    pub(super) fn new(family: CallerQuotes) -> Self {
        Self { family, sets: HashMap::new(), now: None, full: false }
    }

    /// The counter for this key, which may be kept until it has not counted for [`IDLE_TIME`].
    pub(super) fn of(&mut self, key: &Key) -> Counter {
        let labels = Labels::of(key);
        if let Some(set) = self.sets.get(&labels) {
            return set.counter.clone();
        }
        if !self.make_room(&key.tenant) {
            return self.family.get_or_create_owned(&Labels::others());
        }
        let counter = self.family.get_or_create_owned(&labels);
        let tenant = key.tenant.clone();
        let set = LabelSet { tenant, counter: counter.clone(), value: 0, changed: self.now };
        self.sets.insert(labels, set);
        counter
    }

    /// Notices which counters have changed. To be called each second.
    pub(super) fn refresh(&mut self, now: Instant) {
        (self.now, self.full) = (Some(now), false);
        for set in self.sets.values_mut() {
            let value = set.counter.get();
            if value != set.value || set.changed.is_none() {
                (set.value, set.changed) = (value, Some(now));
            }
        }
    }

    /// Makes room for another set of this tenant, if necessary by removing the longest idle one.
    /// False if none may be removed.
    fn make_room(&mut self, tenant: &Tenant) -> bool {
        if self.fits(tenant) {
            return true;
        }
        self.full = self.full || !self.remove_idle();
        !self.full && self.fits(tenant)
    }

    fn fits(&self, tenant: &Tenant) -> bool {
        let free = MAX_LABEL_SETS.saturating_sub(self.sets.len());
        self.sets.values().filter(|set| set.tenant == *tenant).count() < free
    }

    fn remove_idle(&mut self) -> bool {
        let idle = |set: &LabelSet| Some(self.now?.saturating_duration_since(set.changed?));
        let sets = self.sets.iter().filter(|(_, set)| idle(set) >= Some(IDLE_TIME));
        let longest = sets.max_by_key(|(_, set)| idle(set)).map(|(labels, _)| labels.clone());
        let Some(labels) = longest else { return false };
        self.sets.remove(&labels);
        self.family.remove(&labels)
    }
}

impl Labels {
    fn of(key: &Key) -> Self {
        let enclave = key.enclave();
        Self {
            uid: key.uid.to_string(),
            pod: key.pod().unwrap_or_default().to_owned(),
            mrenclave: enclave
                .map_or_else(|| UNCHECKED.to_owned(), |enclave| enclave.mr_enclave.to_string()),
            debug: match enclave.map(|enclave| enclave.debug) {
                None => UNCHECKED,
                Some(true) => "true",
                Some(false) => "false",
            },
            outcome: key.outcome.name(),
        }
    }

    fn others() -> Self {
        let other = || "other".to_owned();
        Self { uid: other(), pod: other(), mrenclave: other(), debug: "other", outcome: "other" }
    }
}
