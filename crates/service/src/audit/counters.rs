//! Quotes as metrics, with a bounded number of label sets.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::key::Key;
use crate::caller::Tenant;

/// Label sets of quotes that were made, and as many of failures, besides one for all others.
pub(super) const LABEL_SETS: usize = 99;

/// A label set that has not counted for so long makes room for another one: by then it has been scraped.
pub(super) const IDLE: Duration = Duration::from_secs(5 * 60);

/// In the place of what is not known of an enclave, where there is no quote.
const UNCHECKED: &str = "unchecked";

/// The metric that all counters belong to.
pub(super) type CallerQuotes = Family<Labels, Counter>;

/// A counter for each label set, or the one for all others. A tenant may have as many sets as are still free.
pub(super) struct Counters {
    family: CallerQuotes,
    sets: HashMap<Labels, Seen>,
    now: Option<Instant>,
    /// There was no room for another set, and will be none before the next look.
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

/// A counter as it was when it was last seen to have changed.
struct Seen {
    tenant: Tenant,
    counter: Counter,
    value: u64,
    at: Option<Instant>,
}

/// The metric, shown by this registry.
pub(super) fn register(registry: &mut Registry) -> CallerQuotes {
    let family = CallerQuotes::default();
    let help = "Requests for quotes, by who asked and how it ended";
    registry.register("caller_quotes", help, family.clone());
    family
}

impl Counters {
    pub(super) fn new(family: CallerQuotes) -> Self {
        Self { family, sets: HashMap::new(), now: None, full: false }
    }

    /// The counter of such quotes. Whoever keeps it has to ask again after [`IDLE`] without a quote.
    pub(super) fn of(&mut self, key: &Key) -> Counter {
        let labels = Labels::of(key);
        if let Some(seen) = self.sets.get(&labels) {
            return seen.counter.clone();
        }
        if !self.has_room(&key.tenant) {
            return self.family.get_or_create_owned(&Labels::others());
        }
        let counter = self.family.get_or_create_owned(&labels);
        let tenant = key.tenant.clone();
        let seen = Seen { tenant, counter: counter.clone(), value: 0, at: self.now };
        self.sets.insert(labels, seen);
        counter
    }

    /// Looks which counters have changed; meant to be called each second.
    pub(super) fn see(&mut self, now: Instant) {
        (self.now, self.full) = (Some(now), false);
        for seen in self.sets.values_mut() {
            let value = seen.counter.get();
            if value != seen.value || seen.at.is_none() {
                (seen.value, seen.at) = (value, Some(now));
            }
        }
    }

    /// Whether there is room for another set of this tenant, if need be in the place of the one that has been idle for
    /// longest, if it is for long enough.
    fn has_room(&mut self, tenant: &Tenant) -> bool {
        if self.fits(tenant) {
            return true;
        }
        self.full = self.full || !self.remove_idle();
        !self.full && self.fits(tenant)
    }

    fn fits(&self, tenant: &Tenant) -> bool {
        let free = LABEL_SETS.saturating_sub(self.sets.len());
        self.sets.values().filter(|seen| seen.tenant == *tenant).count() < free
    }

    fn remove_idle(&mut self) -> bool {
        let idle = |seen: &Seen| Some(self.now?.saturating_duration_since(seen.at?));
        let sets = self.sets.iter().filter(|(_, seen)| idle(seen) >= Some(IDLE));
        let longest = sets.max_by_key(|(_, seen)| idle(seen)).map(|(labels, _)| labels.clone());
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
