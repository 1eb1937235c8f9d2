//! A view: the figures of a scrape, and their change since the previous one.

use std::collections::BTreeMap;

use serde::Serialize;
use time::OffsetDateTime;

use super::change::{Change, Count};
use super::endpoint::{Readiness, Scrape};
use super::latency::{Histogram, Latency};
use super::samples::Samples;

pub(super) const SUCCESS: &str = "SUCCESS";

/// The state of a service at one moment.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct View {
    /// RFC 3339, in UTC.
    pub(super) time: String,
    /// The endpoint of the metrics.
    pub(super) metrics: String,
    #[serde(flatten)]
    pub(super) state: ServiceState,
}

/// The figures of the service, or the reason why there are none.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(super) enum ServiceState {
    Service(Box<Service>),
    /// The reason why the service did not answer.
    Away(String),
}

/// The figures of a service. Those that its version does not export are null.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Service {
    /// The time since the previous view, which rates and latencies cover: null in the first view,
    /// and after a restart of the service.
    pub(super) seconds: Option<f64>,
    /// Another process has answered than in the previous view.
    pub(super) restarted: bool,
    pub(super) version: Option<String>,
    pub(super) platform: Option<String>,
    /// The software platform: its quotes prove nothing.
    pub(super) insecure: bool,
    pub(super) up_since: Option<String>,
    pub(super) up_seconds: Option<i64>,
    pub(super) ready: Option<bool>,
    pub(super) not_ready_because: Option<String>,
    pub(super) connections: Option<u64>,
    pub(super) queued_quotes: Option<u64>,
    pub(super) workers: Option<u64>,
    /// By reason.
    pub(super) worker_ends: BTreeMap<String, Count>,
    /// By direction.
    pub(super) hand_overs: BTreeMap<String, Count>,
    /// By the limit that was reached.
    pub(super) busy_refusals: BTreeMap<String, Count>,
    pub(super) policy_refusals: Option<Count>,
    pub(super) unanswered_requests: Option<Count>,
    /// By kind.
    pub(super) epc_bytes: BTreeMap<String, u64>,
    pub(super) tcb_status: Option<String>,
    pub(super) next_expiry: Option<Expiry>,
    /// The most frequent first.
    pub(super) requests: Vec<Request>,
    /// The busiest first.
    pub(super) callers: Vec<Caller>,
}

/// The first expiry.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Expiry {
    pub(super) what: String,
    pub(super) at: String,
    /// Negative after the expiry.
    pub(super) seconds_left: i64,
}

/// The requests with one operation and outcome.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Request {
    pub(super) operation: String,
    pub(super) outcome: String,
    #[serde(flatten)]
    pub(super) count: Count,
    pub(super) latency: Option<Latency>,
}

/// A caller that requests quotes.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Caller {
    pub(super) uid: String,
    pub(super) pod: String,
    pub(super) mrenclave: String,
    pub(super) debug: String,
    #[serde(flatten)]
    pub(super) count: Count,
    /// The number of requests that were refused or failed.
    pub(super) failed: u64,
}

impl View {
    pub(super) fn of(
        metrics: String,
        now: OffsetDateTime,
        before: Option<&Scrape>,
        answer: &Scrape,
    ) -> Self {
        let service = Service::of(now, before, answer);
        Self {
            time: printable::rfc3339(now.into()),
            metrics,
            state: ServiceState::Service(Box::new(service)),
        }
    }

    pub(super) fn away(metrics: String, now: OffsetDateTime, reason: String) -> Self {
        Self { time: printable::rfc3339(now.into()), metrics, state: ServiceState::Away(reason) }
    }
}

impl Service {
    fn of(now: OffsetDateTime, before: Option<&Scrape>, answer: &Scrape) -> Self {
        let samples = &answer.samples;
        let since = |before: &Scrape| answer.at.saturating_duration_since(before.at);
        let change = Change::new(before.map(|before| (&before.samples, since(before))), samples);
        let [version, platform] = ["version", "platform"].map(|name| of_service(samples, name));
        let up_since = samples.value("quote_helper_start_timestamp_seconds").and_then(date);
        let gauge = |name| samples.value(name).map(|value| value as u64);
        Self {
            seconds: change.time().map(|time| time.as_secs_f64()),
            restarted: change.is_restart,
            version,
            insecure: platform.as_deref() == Some("software"),
            platform,
            up_since: up_since.map(|since| printable::rfc3339(since.into())),
            up_seconds: up_since.map(|since| seconds(since, now)),
            ready: match answer.readiness {
                Readiness::Ready => Some(true),
                Readiness::NotReady(_) => Some(false),
                Readiness::Unknown => None,
            },
            not_ready_because: match &answer.readiness {
                Readiness::NotReady(reason) => Some(reason.clone()),
                _ => None,
            },
            connections: gauge("quote_helper_connections"),
            queued_quotes: gauge("quote_helper_queued_quotes"),
            workers: gauge("quote_helper_workers"),
            worker_ends: change.counts("quote_helper_worker_ends_total", "reason"),
            hand_overs: change.counts("quote_helper_hand_overs_total", "direction"),
            busy_refusals: change.counts("quote_helper_busy_refusals_total", "limit"),
            policy_refusals: change.count("quote_helper_policy_refusals_total"),
            unanswered_requests: change.count("quote_helper_unanswered_requests_total"),
            epc_bytes: epc_bytes(samples),
            tcb_status: tcb_status(samples),
            next_expiry: next_expiry(samples, now),
            requests: requests(&change),
            callers: callers(&change),
        }
    }
}

fn of_service(samples: &Samples, label: &str) -> Option<String> {
    let (labels, _) = samples.named("quote_helper_service_info").next()?;
    labels.get(label).cloned()
}

fn epc_bytes(samples: &Samples) -> BTreeMap<String, u64> {
    let kinds = samples.named("quote_helper_epc_bytes");
    kinds.filter_map(|(labels, value)| Some((labels.get("kind")?.clone(), value as u64))).collect()
}

/// The status whose sample is 1.
fn tcb_status(samples: &Samples) -> Option<String> {
    let mut set = samples.named("quote_helper_tcb_status").filter(|(_, value)| *value == 1.0);
    set.next().and_then(|(labels, _)| labels.get("status").cloned())
}

fn next_expiry(samples: &Samples, now: OffsetDateTime) -> Option<Expiry> {
    let expiries = samples.named("quote_helper_expiry_timestamp_seconds");
    let expiries = expiries.filter_map(|(labels, at)| Some((date(at)?, labels.get("what")?)));
    let (at, what) = expiries.min()?;
    let seconds_left = seconds(now, at);
    Some(Expiry { what: what.clone(), at: printable::rfc3339(at.into()), seconds_left })
}

fn requests(change: &Change<'_>) -> Vec<Request> {
    let histogram = "quote_helper_request_seconds";
    let counts = change.counts_by(&format!("{histogram}_count"), ["operation", "outcome"]);
    let mut buckets = BTreeMap::<_, Vec<_>>::new();
    let each = change.counts_by(&format!("{histogram}_bucket"), ["operation", "outcome", "le"]);
    for ([operation, outcome, bound], count) in each {
        if let (Ok(bound), Some(new)) = (bound.parse::<f64>(), count.new) {
            buckets.entry([operation, outcome]).or_default().push((bound, new));
        }
    }
    let mut requests: Vec<_> = counts
        .into_iter()
        .map(|(key, count)| {
            let buckets = buckets.remove(&key).unwrap_or_default();
            let [operation, outcome] = key;
            Request { operation, outcome, count, latency: Histogram::new(buckets).latency() }
        })
        .collect();
    requests.sort_by_key(|request| std::cmp::Reverse(request.count.total));
    requests
}

fn callers(change: &Change<'_>) -> Vec<Caller> {
    let labels = ["uid", "pod", "mrenclave", "debug", "outcome"];
    let mut callers = BTreeMap::<_, (Count, u64)>::new();
    for ([uid, pod, mrenclave, debug, outcome], count) in
        change.counts_by("quote_helper_caller_quotes_total", labels)
    {
        let failed = if outcome == SUCCESS { 0 } else { count.total };
        callers
            .entry([uid, pod, mrenclave, debug])
            .and_modify(|(all, all_failed)| {
                *all = all.and(count);
                *all_failed = all_failed.saturating_add(failed);
            })
            .or_insert((count, failed));
    }
    let caller = |(key, (count, failed))| {
        let [uid, pod, mrenclave, debug]: [String; 4] = key;
        Caller { uid, pod, mrenclave, debug, count, failed }
    };
    let mut callers: Vec<_> = callers.into_iter().map(caller).collect();
    callers.sort_by_key(|caller| std::cmp::Reverse((caller.count.new, caller.count.total)));
    callers
}

/// `None` if it is out of range.
fn date(seconds: f64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(seconds as i64).ok()
}

fn seconds(from: OffsetDateTime, to: OffsetDateTime) -> i64 {
    to.unix_timestamp().saturating_sub(from.unix_timestamp())
}
