//! The limits that other metrics are to be seen against.

use prometheus_client::metrics::gauge::Gauge;
use service::{Limits, Metrics};

#[derive(Default)]
pub(super) struct LimitMetrics {
    queued_quotes: Gauge,
    connections: Gauge,
}

impl LimitMetrics {
    pub(super) fn new(limits: &Limits, metrics: &Metrics) -> Self {
        let shown = Self::default();
        shown.set(limits);
        metrics.register(|registry| {
            let help = "Maximum quotes in the queue and in progress";
            registry.register("max_queued_quotes", help, shown.queued_quotes.clone());
            let help = "Maximum open connections";
            registry.register("max_connections", help, shown.connections.clone());
        });
        shown
    }

    pub(super) fn set(&self, limits: &Limits) {
        let shown = |limit: usize| limit.try_into().unwrap_or(i64::MAX);
        self.queued_quotes.set(shown(limits.queued_quotes));
        self.connections.set(shown(limits.connections));
    }
}
