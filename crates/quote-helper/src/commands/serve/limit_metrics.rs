//! The limits that other metrics are to be seen against.

use prometheus_client::metrics::gauge::ConstGauge;
use service::{Limits, Metrics};

/// Shows the limits among the metrics.
pub(super) fn show(limits: &Limits, metrics: &Metrics) {
    let gauge = |limit: usize| ConstGauge::new(limit.try_into().unwrap_or(i64::MAX));
    metrics.register(|registry| {
        let help = "Quotes that may wait or be made at once";
        registry.register("max_queued_quotes", help, gauge(limits.queued_quotes));
        let help = "Connections that may be open at once";
        registry.register("max_connections", help, gauge(limits.connections));
    });
}
