//! A log subject lines and counters can be read.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;
use quoting::QuotingError;
use sgx::{MrEnclave, MrSigner, ReportBody};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Metadata, Subscriber};

use crate::audit::AuditLog;
use crate::audit::counters;
use crate::caller::{Caller, Tenant, Workload};

/// A line's fields, as text.
pub(super) type Line = BTreeMap<String, String>;

pub(super) struct Log {
    pub(super) audit: AuditLog,
    registry: Registry,
    lines: Arc<Mutex<Vec<Line>>>,
    begin: Instant,
    _guard: DefaultGuard,
}

impl Log {
    pub(super) fn new() -> Self {
        let mut registry = Registry::with_prefix("quote_helper");
        let counters = counters::register(&mut registry);
        let (lines, begin) = (Arc::<Mutex<Vec<Line>>>::default(), Instant::now());
        let _guard = tracing::subscriber::set_default(Collector(Arc::clone(&lines)));
        let audit = AuditLog::with(&counters, begin);
        Self { audit, registry, lines, begin, _guard }
    }

    /// Enters a quote, this many seconds after the beginning.
    pub(super) fn record(
        &self,
        caller: &Caller,
        body: &ReportBody,
        error: Option<&QuotingError>,
        latency: Duration,
        at: f64,
    ) {
        self.audit.record(caller, body, error, latency, self.at(at));
    }

    pub(super) fn flush(&self, at: f64) {
        self.audit.flush(self.at(at));
    }

    pub(super) fn lines(&self) -> Vec<Line> {
        self.lines.lock().clone()
    }

    /// The number of quotes of each line.
    pub(super) fn quotes(&self) -> Vec<u64> {
        self.lines().iter().map(|line| line["quotes"].parse().unwrap()).collect()
    }

    /// The number of keys and tenants in memory.
    pub(super) fn size(&self) -> usize {
        let aggregators = self.audit.0.lock();
        aggregators.quotes.size() + aggregators.failures.size()
    }

    /// The lines of the counters.
    pub(super) fn counters(&self) -> Vec<String> {
        let mut shown = String::new();
        text::encode(&mut shown, &self.registry).unwrap();
        let counters = shown.lines().filter(|line| line.contains("caller_quotes_total{"));
        counters.map(str::to_owned).collect()
    }

    fn at(&self, seconds: f64) -> Instant {
        self.begin + Duration::from_secs_f64(seconds)
    }
}

pub(super) fn caller(uid: u32) -> Caller {
    Caller { uid, gid: 100, pid: 4711, workload: None, tenant: Tenant::User(uid) }
}

pub(super) fn in_pod(caller: &Caller) -> Caller {
    in_the_pod("6c1a4e95-6bb6-11e6-bc26-28d2444e470d", caller)
}

pub(super) fn in_the_pod(uid: &str, caller: &Caller) -> Caller {
    let pod: Arc<str> = uid.into();
    let workload = Workload { pod: Some(pod.clone()), container: Some("c".repeat(64).into()) };
    Caller { workload: Some(Arc::new(workload)), tenant: Tenant::Pod(pod), ..*caller }
}

pub(super) fn enclave(byte: u8) -> ReportBody {
    let mut body = ReportBody::default();
    (body.mr_enclave, body.mr_signer) = (MrEnclave([byte; 32]), MrSigner([0x51; 32]));
    body
}

/// Collects the lines of the audit log.
struct Collector(Arc<Mutex<Vec<Line>>>);

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "audit"
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        self.0.lock().push(fields.0);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Fields(Line);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}
