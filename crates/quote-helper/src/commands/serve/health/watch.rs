//! Canary quotes, one at a time, on demand and periodically.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Unit;
use service::Metrics;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout};

use super::canary_quoter::CanaryQuoter;

/// The time for which a canary quote is fresh.
const MAX_AGE: Duration = Duration::from_secs(5);
/// The time for a canary quote.
const CANARY_TIMEOUT: Duration = Duration::from_secs(3);
/// The timeout of a probe, longer than the canary's, so that it gets the canary's reason.
const PROBE_TIMEOUT: Duration = Duration::from_millis(3200);
/// The interval of canary quotes without probes, for the metrics.
const INTERVAL: Duration = Duration::from_secs(15);

/// The result of the last canary quote, updated by a task that ends with the runtime.
pub(super) struct Watch {
    last: watch::Sender<Option<CanaryResult>>,
    asked: Notify,
    seconds: Histogram,
    success: Gauge,
}

#[derive(Clone)]
struct CanaryResult {
    at: Instant,
    outcome: Result<String, String>,
}

impl Watch {
    pub(super) fn start(quoter: CanaryQuoter, metrics: &Metrics) -> Arc<Self> {
        let seconds = Histogram::new(exponential_buckets(1e-3, 2.0, 13));
        let watch = Arc::new(Self {
            last: watch::Sender::new(None),
            asked: Notify::new(),
            seconds,
            success: Gauge::default(),
        });
        metrics.register(|registry| {
            registry.register_with_unit(
                "canary",
                "Canary quotes, by the time to make and verify one",
                Unit::Seconds,
                watch.seconds.clone(),
            );
            registry.register(
                "canary_success",
                "1 if the last canary quote was good, else 0",
                watch.success.clone(),
            );
        });
        tokio::spawn(Arc::clone(&watch).run(quoter));
        watch
    }

    /// The result of a fresh canary quote.
    pub(super) async fn outcome(&self) -> Result<String, String> {
        let mut last = self.last.subscribe();
        if let Some(result) = last.borrow_and_update().as_ref().filter(|result| result.is_fresh()) {
            return result.outcome.clone();
        }
        self.asked.notify_one();
        match timeout(PROBE_TIMEOUT, last.changed()).await {
            Ok(Ok(())) => {
                last.borrow().as_ref().map_or_else(still_running, |result| result.outcome.clone())
            }
            _ => still_running(),
        }
    }

    async fn run(self: Arc<Self>, quoter: CanaryQuoter) {
        loop {
            self.measure(&quoter).await;
            tokio::select! {
                () = self.next_probe() => {}
                () = sleep(INTERVAL) => {}
            }
        }
    }

    /// Makes one canary quote. A late one is awaited as well, so that there are never two.
    async fn measure(&self, quoter: &CanaryQuoter) {
        let begin = Instant::now();
        let mut quote = std::pin::pin!(quoter.quote());
        let in_time = timeout(CANARY_TIMEOUT, &mut quote).await;
        let is_late = in_time.is_err();
        let late = || Err(format!("no canary quote within {} s", CANARY_TIMEOUT.as_secs()));
        let outcome = in_time.unwrap_or_else(|_| late());
        self.seconds.observe(begin.elapsed().as_secs_f64());
        self.success.set(outcome.is_ok().into());
        if let Err(reason) = &outcome {
            tracing::warn!(reason, "not ready");
        }
        self.last.send_replace(Some(CanaryResult { at: Instant::now(), outcome }));
        if is_late {
            let _ = quote.await;
        }
    }

    /// Waits for a probe for which the last canary quote is too old.
    async fn next_probe(&self) {
        loop {
            self.asked.notified().await;
            if !self.last.borrow().as_ref().is_some_and(CanaryResult::is_fresh) {
                return;
            }
        }
    }
}

impl CanaryResult {
    fn is_fresh(&self) -> bool {
        self.at.elapsed() < MAX_AGE
    }
}

fn still_running() -> Result<String, String> {
    Err("an earlier canary quote is still in progress".to_owned())
}
