//! What the service counts, as Prometheus reads it.

use std::fmt::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use aesm::Operation;
use axum::Router;
use axum::routing::get;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use sgx::AesmError;

/// The counters of one service. Clones count together.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    requests: Family<Outcome, Histogram>,
    pub(crate) connections: Gauge,
    pub(crate) unanswered: Counter,
    pub(crate) workers: Gauge,
    worker_ends: Family<WorkerEndLabels, Counter>,
}

/// Why a worker is not there any more, or did not even start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum WorkerEnd {
    Died,
    Hung,
    LostEnclave,
    NotStarted(AesmError),
    Replaced,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WorkerEndLabels {
    reason: WorkerEnd,
}

/// What was asked for and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Outcome {
    operation: Asked,
    outcome: Ended,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Asked(Operation);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Ended(Option<AesmError>);

impl Outcome {
    pub(crate) fn of(operation: Operation, error: Option<AesmError>) -> Self {
        Self { operation: Asked(operation), outcome: Ended(error) }
    }
}

impl EncodeLabelValue for Asked {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        write!(encoder, "{:?}", self.0)
    }
}

impl EncodeLabelValue for Ended {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        encoder.write_str(self.0.map_or("SUCCESS", AesmError::name))
    }
}

impl EncodeLabelValue for WorkerEnd {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        encoder.write_str(match self {
            Self::Died => "died",
            Self::Hung => "hung",
            Self::LostEnclave => "lost_enclave",
            Self::NotStarted(error) => error.name(),
            Self::Replaced => "replaced",
        })
    }
}

impl Metrics {
    /// Counters at zero, of a service on the platform with this name.
    #[must_use]
    pub fn new(platform: &str) -> Self {
        let buckets = || Histogram::new(exponential_buckets(16e-6, 2.0, 20));
        let metrics = Self {
            registry: Arc::default(),
            requests: Family::new_with_constructor(buckets),
            connections: Gauge::default(),
            unanswered: Counter::default(),
            workers: Gauge::default(),
            worker_ends: Family::default(),
        };
        let mut registry = Registry::with_prefix("quote_helper");
        let labels = vec![
            ("platform", platform.to_owned()),
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ];
        registry.register("service", "What serves quotes", Info::new(labels));
        registry.register_with_unit(
            "request",
            "Requests by outcome, and the time from the whole request to the reply",
            Unit::Seconds,
            metrics.requests.clone(),
        );
        registry.register("connections", "Open connections", metrics.connections.clone());
        registry.register(
            "unanswered_requests",
            "Requests closed without a reply, as the protocol demands",
            metrics.unanswered.clone(),
        );
        registry.register("workers", "Worker processes that are ready", metrics.workers.clone());
        registry.register(
            "worker_ends",
            "Worker processes that ended, or did not start",
            metrics.worker_ends.clone(),
        );
        Self { registry: Arc::new(registry), ..metrics }
    }

    pub(crate) fn worker_ended(&self, reason: WorkerEnd) {
        self.worker_ends.get_or_create(&WorkerEndLabels { reason }).inc();
    }

    pub(crate) fn record(&self, outcome: &Outcome, time: Duration) {
        self.requests.get_or_create(outcome).observe(time.as_secs_f64());
    }

    /// `/metrics` in the OpenMetrics text format, to be served over HTTP.
    pub fn router(&self) -> Router {
        let registry = Arc::clone(&self.registry);
        let encode = async move || http_server::open_metrics(&registry);
        Router::new().route("/metrics", get(encode))
    }
}
