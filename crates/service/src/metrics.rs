//! The metrics of the service, for Prometheus.

use std::fmt::{self, Write};
use std::ops::DerefMut;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aesm::Operation;
use parking_lot::Mutex;
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
    requests: Family<RequestLabels, Histogram>,
    pub(crate) connections: Gauge,
    pub(crate) unanswered: Counter,
    pub(crate) queued_quotes: Gauge,
    busy: Family<BusyLabels, Counter>,
    pub(crate) policy_refusals: Counter,
    pub(crate) workers: Gauge,
    worker_ends: Family<WorkerEndLabels, Counter>,
}

/// The limit that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Exhausted {
    /// Queued quotes.
    Quotes,
    /// Queued quotes of one caller.
    QuotesOfCaller,
    /// Connections of one caller.
    ConnectionsOfCaller,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BusyLabels {
    limit: Exhausted,
}

/// The reason why a worker ended or did not start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum WorkerEnd {
    Died,
    Hung,
    LostEnclave,
    NotStarted(AesmError),
    /// Its attestation key differs from that of the ready workers.
    OtherKey,
    Replaced,
    /// Its reply does not answer the request.
    WrongReply,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WorkerEndLabels {
    reason: WorkerEnd,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    operation: OperationLabel,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct OperationLabel(Operation);

impl EncodeLabelValue for OperationLabel {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        write!(encoder, "{:?}", self.0)
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
            Self::Quotes => "the quote queue is full",
            Self::QuotesOfCaller => "this caller has too many queued quotes",
            Self::ConnectionsOfCaller => "this caller has too many connections",
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
    /// Metrics at zero, of a service on the platform with this name.
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
        registry.register("service", "Platform and version of the service", Info::new(labels));
        registry.register_with_unit(
            "request",
            "Requests by outcome, and their time from the whole request to the reply",
            Unit::Seconds,
            metrics.requests.clone(),
        );
        registry.register_with_unit(
            "start_timestamp",
            "Start time of the process, in seconds since 1970",
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
            "Queued quotes, those being made included; software quotes without workers never queue",
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
        registry.register("workers", "Ready worker processes", metrics.workers.clone());
        registry.register(
            "worker_ends",
            "Worker processes that ended or failed to start",
            metrics.worker_ends.clone(),
        );
        metrics.export_zeros();
        Self { registry: Arc::new(Mutex::new(registry)), ..metrics }
    }

    /// Exports zeros so that `rate()` sees the first increment.
    fn export_zeros(&self) {
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

    /// Adds further metrics; their names get the same prefix.
    pub fn register(&self, add: impl FnOnce(&mut Registry)) {
        add(&mut self.registry.lock());
    }

    pub(crate) fn refused_as_busy(&self, limit: Exhausted) {
        self.busy.get_or_create(&BusyLabels { limit }).inc();
    }

    pub(crate) fn worker_ended(&self, reason: WorkerEnd) {
        self.worker_ends.get_or_create(&WorkerEndLabels { reason }).inc();
    }

    pub(crate) fn count_request(
        &self,
        operation: Operation,
        error: Option<AesmError>,
        time: Duration,
    ) {
        let outcome = error.map_or("SUCCESS", AesmError::name);
        let labels = RequestLabels { operation: OperationLabel(operation), outcome };
        self.requests.get_or_create(&labels).observe(time.as_secs_f64());
    }

    /// The registry of all metrics, locked.
    pub fn registry(&self) -> impl DerefMut<Target = Registry> {
        self.registry.lock()
    }
}

fn seconds_since_1970() -> f64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs_f64()
}
