//! The metrics of the server.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Instant, UNIX_EPOCH};

use collateral::{Record, SourceError};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

/// The metrics of one server. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    registry: Arc<Registry>,
    requests: Family<RequestLabels, Counter>,
    lookups: Family<LookupLabels, Counter>,
    upstream: Family<UpstreamLabels, Counter>,
    upstream_seconds: Family<SourceLabel, Counter<f64, std::sync::atomic::AtomicU64>>,
    expiry: Family<ItemLabel, Gauge>,
    platforms: Gauge,
    tcb_statuses: Family<TcbStatusLabels, Gauge>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LookupLabels {
    outcome: Lookup,
}

/// The result of a look-up in the cache of responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum Lookup {
    Hit,
    Miss,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UpstreamLabels {
    source: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SourceLabel {
    source: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ItemLabel {
    item: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TcbStatusLabels {
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
            "Look-ups in the cache of responses, by result",
            lookups.clone(),
        );
        let upstream = Family::default();
        registry.register("upstream_requests", "Requests to sources by outcome", upstream.clone());
        let upstream_seconds = Family::default();
        registry.register_with_unit(
            "upstream_time",
            "Time spent waiting for sources",
            Unit::Seconds,
            upstream_seconds.clone(),
        );
        let expiry = Family::default();
        registry.register(
            "item_expiry_timestamp_seconds",
            "Expiry time of a cached item",
            expiry.clone(),
        );
        let platforms = Gauge::default();
        registry.register(
            "platforms",
            "Platforms with PCK certificates in the database",
            platforms.clone(),
        );
        let tcb_statuses = Family::default();
        registry.register(
            "platforms_by_tcb_status",
            "Platforms by TCB status, judged by the cached TCB info",
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
    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    pub(crate) fn count_request(&self, route: String, status: u16) {
        self.requests.get_or_create(&RequestLabels { route, status }).inc();
    }

    pub(crate) fn count_lookup(&self, outcome: Lookup) {
        self.lookups.get_or_create(&LookupLabels { outcome }).inc();
    }

    /// Runs a request to this source, and counts and times it.
    pub(crate) fn count_upstream<T>(
        &self,
        source: &str,
        request: impl FnOnce() -> Result<T, SourceError>,
    ) -> Result<T, SourceError> {
        let start = Instant::now();
        let result = request();
        let (source, outcome) = (source.to_owned(), outcome(result.as_ref().err()));
        let labels = SourceLabel { source: source.clone() };
        self.upstream_seconds.get_or_create(&labels).inc_by(start.elapsed().as_secs_f64());
        self.upstream.get_or_create(&UpstreamLabels { source, outcome }).inc();
        result
    }

    /// Replaces the expiry times by those of these records.
    pub(crate) fn set_expiries(&self, records: &[Record]) {
        self.expiry.clear();
        for record in records {
            let expiry = record.validity.until.duration_since(UNIX_EPOCH).unwrap_or_default();
            let item = record.item.to_string();
            let expiry = expiry.as_secs().try_into().unwrap_or(i64::MAX);
            self.expiry.get_or_create(&ItemLabel { item }).set(expiry);
        }
    }

    pub(crate) fn set_platform_count(&self, platforms: u64) {
        self.platforms.set(platforms.try_into().unwrap_or(i64::MAX));
    }

    /// Replaces the numbers of platforms by TCB status.
    pub(crate) fn set_tcb_statuses(&self, statuses: BTreeMap<String, u64>) {
        self.tcb_statuses.clear();
        for (tcb_status, platforms) in statuses {
            let platforms = platforms.try_into().unwrap_or(i64::MAX);
            self.tcb_statuses.get_or_create(&TcbStatusLabels { tcb_status }).set(platforms);
        }
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
