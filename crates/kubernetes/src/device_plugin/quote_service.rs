//! The node's condition `QuoteServiceReady`, by tests of the quote service as an application would
//! use it. Nothing else waits for these tests.

mod event;
mod verdict;

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use kube::api::Patch;
use serde_json::json;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use super::node_status::{NodeStatus, Traces, condition};
pub use verdict::ServiceProblem;
use verdict::Verdict;

/// A test of the quote service, which may block for some seconds.
pub type QuoteServiceProbe = dyn Fn() -> Result<(), ServiceProblem> + Send + Sync;

/// The interval of tests of a service that is ready.
const PERIOD: Duration = Duration::from_secs(30);
/// The interval of tests otherwise.
const RETRY: Duration = Duration::from_secs(5);
/// The failures in a row after which the service is not ready: one may be a restart.
const FAILURES: u32 = 2;
/// The interval at which the condition is written again, as by the kubelet.
const HEARTBEAT: Duration = Duration::from_secs(300);

/// Keeps the condition of a node.
pub(crate) struct QuoteServiceCondition {
    node: NodeStatus,
    probe: Arc<QuoteServiceProbe>,
    /// The last written verdict.
    written: Option<Written>,
}

struct Written {
    verdict: Verdict,
    at: Instant,
    /// As in the condition.
    heartbeat: Timestamp,
}

impl QuoteServiceCondition {
    pub(crate) fn new(node: NodeStatus, probe: Arc<QuoteServiceProbe>) -> Self {
        Self { node, probe, written: None }
    }

    /// Tests the service, and writes the condition when it changes.
    pub(crate) async fn keep(&mut self) {
        let mut failures = 0_u32;
        loop {
            let verdict = self.test().await;
            failures = if verdict.is_ready() { 0 } else { failures.saturating_add(1) };
            let is_sure = verdict.is_ready() || failures >= FAILURES;
            if is_sure && self.is_due(&verdict) {
                self.write(verdict.clone()).await;
            }
            let is_written = self.written.as_ref().is_some_and(|it| it.verdict == verdict);
            sleep(if verdict.is_ready() && is_written { PERIOD } else { RETRY }).await;
        }
    }

    /// Sets the condition to `Unknown`, unless another plugin has written it since: the successor
    /// in an update.
    pub(crate) async fn stop(&mut self) {
        let Some(written) = &self.written else { return };
        let Ok(live) = self.node.live().await else { return };
        let heartbeat =
            condition(&live).and_then(|condition| condition.last_heartbeat_time.clone());
        if heartbeat.is_some_and(|heartbeat| heartbeat.0 == written.heartbeat) {
            self.write(Verdict::stopped()).await;
        }
    }

    async fn test(&self) -> Verdict {
        let probe = Arc::clone(&self.probe);
        match spawn_blocking(move || probe()).await {
            Ok(result) => Verdict::of(result),
            Err(error) => Verdict::of(Err(ServiceProblem {
                reason: "TestFailed",
                message: error.to_string(),
            })),
        }
    }

    fn is_due(&self, verdict: &Verdict) -> bool {
        self.written
            .as_ref()
            .is_none_or(|it| it.verdict != *verdict || it.at.elapsed() >= HEARTBEAT)
    }

    async fn write(&mut self, verdict: Verdict) {
        let heartbeat = Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default();
        match self.try_write(&verdict, heartbeat).await {
            Ok(()) => self.written = Some(Written { verdict, at: Instant::now(), heartbeat }),
            Err(problem) => warn!("the quote service's condition: {problem}"),
        }
    }

    async fn try_write(&self, verdict: &Verdict, heartbeat: Timestamp) -> Result<(), String> {
        let live = self.node.live().await?;
        let before = condition(&live);
        let same = before.filter(|before| before.status == verdict.status);
        let since = same.and_then(|same| same.last_transition_time.as_ref());
        let since = since.map_or(heartbeat, |since| since.0);
        let condition = verdict.condition(heartbeat, since);
        self.node
            .patch(Patch::Strategic(json!({ "status": { "conditions": [condition] } })))
            .await?;
        if same.is_none() {
            info!(status = verdict.status, reason = verdict.reason, "{}", verdict.message);
        }
        if same.is_none() && !verdict.is_unknown() {
            let event = event::about(&live, verdict, heartbeat);
            if let Err(problem) = self.node.record(&event).await {
                warn!("the quote service's event: {problem}");
            }
        }
        Ok(())
    }
}

/// Keeps the condition removed: the plugin before may still write it.
pub(crate) async fn keep_removed(node: &NodeStatus) {
    loop {
        remove(node, |traces| Traces { label: false, ..traces }).await;
        sleep(HEARTBEAT).await;
    }
}

/// Removes from a node what an earlier plugin may have left.
pub(crate) async fn remove(node: &NodeStatus, removed: fn(Traces) -> Traces) {
    let result = async {
        let traces = removed(Traces::of(&node.live().await?));
        if !traces.is_empty() {
            node.patch(Patch::Strategic(traces.removal().into())).await?;
        }
        Ok::<_, String>(())
    };
    if let Err(problem) = result.await {
        warn!("traces of an earlier device plugin: {problem}");
    }
}
