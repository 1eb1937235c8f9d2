//! The metric of hand-overs.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// Counters of the hand-overs in which this instance took part. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct HandoverCounters(Family<[(&'static str, &'static str); 1], Counter>);

impl HandoverCounters {
    /// Shows the counters, at zero, among these metrics.
    pub fn register(&self, registry: &mut Registry) {
        let help = "Hand-overs of the sockets, from a predecessor or to a successor";
        registry.register("hand_overs", help, self.0.clone());
        self.taken();
        self.given();
    }

    pub(crate) fn taken(&self) -> Counter {
        self.direction("taken")
    }

    pub(crate) fn given(&self) -> Counter {
        self.direction("given")
    }

    fn direction(&self, direction: &'static str) -> Counter {
        self.0.get_or_create(&[("direction", direction)]).clone()
    }
}
