//! What the server counts, as Prometheus reads it.

use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use collateral::{CollateralId, Document, Record, Source, SourceError};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::keeper::TcbStatuses;

/// The counters of one server. Clones count together.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    registry: Arc<Registry>,
    requests: Family<OfRequest, Counter>,
    lookups: Family<OfLookup, Counter>,
    upstream: Family<OfSource, Counter>,
    upstream_seconds: Family<SourceName, Counter<f64, std::sync::atomic::AtomicU64>>,
    expiry: Family<ItemName, Gauge>,
    platforms: Gauge,
    tcb_statuses: Family<OfTcbStatus, Gauge>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRequest {
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfLookup {
    outcome: Lookup,
}

/// Whether an answer was in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum Lookup {
    Hit,
    Miss,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfSource {
    source: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SourceName {
    source: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ItemName {
    item: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfTcbStatus {
    tcb_status: String,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("quote_helper_collateral");
        let requests = Family::default();
        registry.register("requests", "Requests by route and status", requests.clone());
        let lookups = Family::default();
        registry.register(
            "lookups",
            "Questions by whether the answer was in memory",
            lookups.clone(),
        );
        let upstream = Family::default();
        registry.register(
            "upstream_requests",
            "Questions to sources by what came of them",
            upstream.clone(),
        );
        let upstream_seconds = Family::default();
        registry.register_with_unit(
            "upstream_time",
            "The time that sources have taken",
            Unit::Seconds,
            upstream_seconds.clone(),
        );
        let expiry = Family::default();
        registry.register(
            "item_expiry_timestamp_seconds",
            "When an item that is kept expires",
            expiry.clone(),
        );
        let platforms = Gauge::default();
        registry.register("platforms", "Platforms whose certificates are kept", platforms.clone());
        let tcb_statuses = Family::default();
        registry.register(
            "platforms_by_tcb_status",
            "Platforms by their TCB status, by the TCB info that is kept",
            tcb_statuses.clone(),
        );
        Self {
            registry: Arc::new(registry),
            requests,
            lookups,
            upstream,
            upstream_seconds,
            expiry,
            platforms,
            tcb_statuses,
        }
    }
}

impl Metrics {
    /// All of it.
    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    pub(crate) fn requested(&self, route: String, status: u16) {
        self.requests.get_or_create(&OfRequest { route, status }).inc();
    }

    pub(crate) fn looked_up(&self, outcome: Lookup) {
        self.lookups.get_or_create(&OfLookup { outcome }).inc();
    }

    /// What is kept.
    pub(crate) fn keep(&self, records: &[Record]) {
        self.expiry.clear();
        for record in records {
            let expiry = record.validity.until.duration_since(UNIX_EPOCH).unwrap_or_default();
            let item = record.item.to_string();
            let expiry = expiry.as_secs().try_into().unwrap_or(i64::MAX);
            self.expiry.get_or_create(&ItemName { item }).set(expiry);
        }
    }

    /// How many platforms are known.
    pub(crate) fn know(&self, platforms: u64) {
        self.platforms.set(platforms.try_into().unwrap_or(i64::MAX));
    }

    /// How current the platforms are.
    pub(crate) fn stand(&self, statuses: TcbStatuses) {
        self.tcb_statuses.clear();
        for (tcb_status, platforms) in statuses {
            let platforms = platforms.try_into().unwrap_or(i64::MAX);
            self.tcb_statuses.get_or_create(&OfTcbStatus { tcb_status }).set(platforms);
        }
    }

    fn asked(&self, source: &str, outcome: &'static str, taken: Duration) {
        let source = source.to_owned();
        self.upstream.get_or_create(&OfSource { source: source.clone(), outcome }).inc();
        self.upstream_seconds.get_or_create(&SourceName { source }).inc_by(taken.as_secs_f64());
    }

    /// Asks a source, and counts what comes of it.
    pub(crate) fn ask<T>(
        &self,
        source: &str,
        ask: impl FnOnce() -> Result<T, SourceError>,
    ) -> Result<T, SourceError> {
        let start = Instant::now();
        let result = ask();
        self.asked(source, outcome(result.as_ref().err()), start.elapsed());
        result
    }
}

/// A source whose questions are counted.
pub(crate) struct CountedSource {
    source: Box<dyn Source>,
    metrics: Metrics,
}

impl CountedSource {
    /// Counts the questions to this source.
    pub(crate) fn new(source: Box<dyn Source>, metrics: Metrics) -> Self {
        Self { source, metrics }
    }
}

impl Source for CountedSource {
    fn name(&self) -> &str {
        self.source.name()
    }

    fn fetch(&self, item: &CollateralId, deadline: Instant) -> Result<Document, SourceError> {
        self.metrics.ask(self.source.name(), || self.source.fetch(item, deadline))
    }
}

fn outcome(error: Option<&SourceError>) -> &'static str {
    match error {
        None => "answered",
        Some(SourceError::NotFound | SourceError::NotOffered(_)) => "not_found",
        Some(SourceError::UnknownPlatform) => "unknown_platform",
        Some(SourceError::NoCertificate) => "no_certificate",
        Some(SourceError::Denied(_)) => "denied",
        Some(SourceError::Busy { .. }) => "busy",
        Some(SourceError::Status(_) | SourceError::Redirect(_)) => "other_status",
        Some(SourceError::Unreachable(_)) => "unreachable",
        Some(SourceError::Untrusted(_)) => "untrusted",
        Some(SourceError::Timeout) => "timeout",
        Some(SourceError::Malformed(_)) => "malformed",
    }
}
