//! Who got a quote, and who did not: lines in the log that sum up, and counters.
//!
//! ```text
//! audit/key.rs       what has to be equal for quotes to be summed up
//! audit/ledger.rs    sums, within bounds that no caller can break
//! audit/line.rs      a sum as a line in the log
//! audit/counters.rs  the same as metrics, within other bounds
//! ```

mod counters;
mod key;
mod ledger;
mod line;

use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use quoting::QuotingError;
use sgx::ReportBody;

use crate::caller::Caller;
use crate::metrics::Metrics;
use counters::{CallerQuotes, Counters};
use key::Key;
use ledger::Ledger;
use line::{Kind, Line};

/// The log of all quotes.
///
/// The first quote of its kind is logged at once, and those that follow within ten seconds as one line:
/// the `quotes` of all lines together are all quotes, even if some of them are not told apart since there
/// are too many kinds. Failures have bounds of their own, so that nobody can use up those of quotes with made-up REPORTs.
pub(crate) struct AuditLog(Mutex<Ledgers>);

struct Ledgers {
    quotes: Ledger,
    failures: Ledger,
}

impl AuditLog {
    /// A log in which nothing is, and its counters among the metrics.
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let mut family = None;
        metrics.register(|registry| family = Some(counters::register(registry)));
        Self::with(&family.unwrap_or_default(), Instant::now())
    }

    fn with(family: &CallerQuotes, now: Instant) -> Self {
        let ledger = |kind| Ledger::new(kind, Counters::new(family.clone()), now);
        let (quotes, failures) = (ledger(Kind::Quotes), ledger(Kind::Failures));
        Self(Mutex::new(Ledgers { quotes, failures }))
    }

    /// Enters a quote, or why there is none. What `body` says of the enclave counts only if there is
    /// one. The latency is the time from the request to the reply.
    pub(crate) fn record(
        &self,
        caller: &Caller,
        body: &ReportBody,
        error: Option<&QuotingError>,
        latency: Duration,
        now: Instant,
    ) {
        let key = Key::new(caller, body, error.map(QuotingError::code));
        let mut ledgers = self.ledgers();
        let ledger = if error.is_some() { &mut ledgers.failures } else { &mut ledgers.quotes };
        let first = ledger.enter(key, error, latency, now);
        drop(ledgers);
        if let Some(line) = first {
            line.log();
        }
    }

    /// Logs the sums that are due; meant to be called each second.
    pub(crate) fn flush(&self, now: Instant) {
        self.log(|ledger| ledger.due(now));
    }

    /// Logs all that is not logged yet, before the end.
    pub(crate) fn finish(&self) {
        self.log(Ledger::rest);
    }

    fn log(&self, lines: impl Fn(&mut Ledger) -> Vec<Line>) {
        let mut ledgers = self.ledgers();
        let all = [lines(&mut ledgers.quotes), lines(&mut ledgers.failures)];
        drop(ledgers);
        all.iter().flatten().for_each(Line::log);
    }

    fn ledgers(&self) -> MutexGuard<'_, Ledgers> {
        self.0.lock()
    }
}

#[cfg(test)]
mod tests;
