//! The audit log: callers, enclaves and results of quotes, as aggregated log lines and counters.
//!
//! ```text
//! audit/key.rs         the attributes that aggregated quotes share
//! audit/aggregator.rs  aggregates, within bounds that no caller can break
//! audit/line.rs        an aggregate as a line in the log
//! audit/counters.rs    metrics, within bounds of their own
//! ```

mod aggregator;
mod counters;
mod key;
mod line;

use std::time::{Duration, Instant};

use parking_lot::Mutex;
use quoting::QuotingError;
use sgx::ReportBody;

use crate::caller::Caller;
use crate::metrics::Metrics;
use aggregator::Aggregator;
use counters::{CallerQuotes, Counters};
use key::Key;
use line::{Kind, Line};

/// The log of all quotes.
///
/// The first quote with a key is logged at once, and those that follow within ten seconds as one
/// line. The `quotes` of all lines add up to all quotes, even if there are too many keys to tell
/// apart. Failures have bounds of their own, so that made-up REPORTs cannot exhaust those of
/// quotes.
pub(crate) struct AuditLog(Mutex<Aggregators>);

struct Aggregators {
    quotes: Aggregator,
    failures: Aggregator,
}

impl AuditLog {
    /// An empty log, and its counters among the metrics.
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let mut family = None;
        metrics.register(|registry| family = Some(counters::register(registry)));
        Self::with(&family.unwrap_or_default(), Instant::now())
    }

    fn with(family: &CallerQuotes, now: Instant) -> Self {
        let aggregator = |kind| Aggregator::new(kind, Counters::new(family.clone()), now);
        let (quotes, failures) = (aggregator(Kind::Quotes), aggregator(Kind::Failures));
        Self(Mutex::new(Aggregators { quotes, failures }))
    }

    /// Enters a quote or a failure. `body` counts only for a quote. The latency is the time from
    /// the request to the reply.
    pub(crate) fn record(
        &self,
        caller: &Caller,
        body: &ReportBody,
        error: Option<&QuotingError>,
        latency: Duration,
        now: Instant,
    ) {
        let key = Key::new(caller, body, error.map(QuotingError::code));
        let mut aggregators = self.0.lock();
        let aggregator =
            if error.is_some() { &mut aggregators.failures } else { &mut aggregators.quotes };
        let first = aggregator.add(key, error, latency, now);
        drop(aggregators);
        if let Some(line) = first {
            line.log();
        }
    }

    /// Logs the aggregates that are due. To be called each second.
    pub(crate) fn flush(&self, now: Instant) {
        self.log(|aggregator| aggregator.due(now));
    }

    /// Logs all remaining aggregates, at the end of the service.
    pub(crate) fn finish(&self) {
        self.log(Aggregator::rest);
    }

    fn log(&self, lines: impl Fn(&mut Aggregator) -> Vec<Line>) {
        let mut aggregators = self.0.lock();
        let all = [lines(&mut aggregators.quotes), lines(&mut aggregators.failures)];
        drop(aggregators);
        all.iter().flatten().for_each(Line::log);
    }
}

#[cfg(test)]
mod tests;
