//! What the service counts, as Prometheus reads it.

use std::fmt::{self, Write};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aesm::Operation;
use axum::Router;
use axum::http::HeaderMap;
use axum::routing::get;
use parking_lot::{Mutex, MutexGuard};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use sgx::AesmError;

/// The counters of one service. Clones count together.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
    requests: Family<Outcome, Histogram>,
    pub(crate) connections: Gauge,
    pub(crate) unanswered: Counter,
    pub(crate) queued_quotes: Gauge,
    busy: Family<BusyLabels, Counter>,
    pub(crate) policy_refusals: Counter,
    pub(crate) workers: Gauge,
    worker_ends: Family<WorkerEndLabels, Counter>,
}

/// What there is no more of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Exhausted {
    /// Places in the queue of quotes.
    Quotes,
    /// One caller's places in it.
    QuotesOfCaller,
    /// One caller's connections.
    ConnectionsOfCaller,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BusyLabels {
    limit: Exhausted,
}

/// Why a worker is not there any more, or did not even start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum WorkerEnd {
    Died,
    Hung,
    LostEnclave,
    NotStarted(AesmError),
    /// It has another attestation key than the workers that are ready.
    OtherKey,
    Replaced,
    /// It answered with something else than what it was asked for.
    WrongReply,
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

impl EncodeLabelValue for Exhausted {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        encoder.write_str(match self {
            Self::Quotes => "queue",
            Self::QuotesOfCaller => "caller-queue",
            Self::ConnectionsOfCaller => "caller-connections",
        })
    }
}

impl fmt::Display for Exhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quotes => "as many quotes wait as may",
            Self::QuotesOfCaller => "as many quotes wait for this caller as may",
            Self::ConnectionsOfCaller => "this caller has as many connections as it may",
        })
    }
}

impl EncodeLabelValue for WorkerEnd {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        encoder.write_str(match self {
            Self::Died => "died",
            Self::Hung => "hung",
            Self::LostEnclave => "lost_enclave",
            Self::NotStarted(error) => error.name(),
            Self::OtherKey => "other_key",
            Self::Replaced => "replaced",
            Self::WrongReply => "wrong_reply",
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
            queued_quotes: Gauge::default(),
            busy: Family::default(),
            policy_refusals: Counter::default(),
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
        registry.register_with_unit(
            "start_timestamp",
            "When the process started, in seconds from 1970",
            Unit::Seconds,
            ConstGauge::new(seconds_since_1970()),
        );
        registry.register("connections", "Open connections", metrics.connections.clone());
        registry.register(
            "unanswered_requests",
            "Requests closed without a reply, as the protocol demands",
            metrics.unanswered.clone(),
        );
        registry.register(
            "queued_quotes",
            "Quotes that wait or are being made, where they take their time",
            metrics.queued_quotes.clone(),
        );
        registry.register(
            "busy_refusals",
            "Requests refused with AESM_BUSY, by the limit that was reached",
            metrics.busy.clone(),
        );
        registry.register(
            "policy_refusals",
            "Quotes refused by the policy",
            metrics.policy_refusals.clone(),
        );
        registry.register("workers", "Worker processes that are ready", metrics.workers.clone());
        registry.register(
            "worker_ends",
            "Worker processes that ended, or did not start",
            metrics.worker_ends.clone(),
        );
        metrics.show_zeros();
        Self { registry: Arc::new(Mutex::new(registry)), ..metrics }
    }

    /// Who sees a counter for the first time at 1 does not know that it has grown.
    fn show_zeros(&self) {
        for limit in [Exhausted::Quotes, Exhausted::QuotesOfCaller, Exhausted::ConnectionsOfCaller]
        {
            drop(self.busy.get_or_create(&BusyLabels { limit }));
        }
        for reason in [
            WorkerEnd::Died,
            WorkerEnd::Hung,
            WorkerEnd::LostEnclave,
            WorkerEnd::OtherKey,
            WorkerEnd::Replaced,
            WorkerEnd::WrongReply,
        ] {
            drop(self.worker_ends.get_or_create(&WorkerEndLabels { reason }));
        }
    }

    /// Adds further metrics to those that are shown; their names get the prefix of these.
    pub fn register(&self, add: impl FnOnce(&mut Registry)) {
        add(&mut self.registry());
    }

    pub(crate) fn refused_as_busy(&self, limit: Exhausted) {
        self.busy.get_or_create(&BusyLabels { limit }).inc();
    }

    pub(crate) fn worker_ended(&self, reason: WorkerEnd) {
        self.worker_ends.get_or_create(&WorkerEndLabels { reason }).inc();
    }

    pub(crate) fn record(&self, outcome: &Outcome, time: Duration) {
        self.requests.get_or_create(outcome).observe(time.as_secs_f64());
    }

    /// `/metrics`, to be served over HTTP.
    pub fn router(&self) -> Router {
        let metrics = self.clone();
        let encode =
            async move |request: HeaderMap| http_server::metrics(&request, &metrics.registry());
        Router::new().route("/metrics", get(encode))
    }

    /// Whoever panics while it holds the lock has left a registry that can be shown all the same.
    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock()
    }
}

fn seconds_since_1970() -> f64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs_f64()
}
