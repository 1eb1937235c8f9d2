//! Fetches collateral from several sources.

use std::thread;
use std::time::{Duration, Instant, SystemTime};

use verify::TrustedRoots;

use crate::backoff::FIRST_PAUSE;
use crate::check::{CheckError, Checked, inspect};
use crate::circuit_breaker::CircuitBreaker;
use crate::{Attempt, AttemptError, CollateralId, FetchError, Record, Source};

/// Asks the sources in their order until one gives a valid document. Each has a circuit breaker:
/// after a failure it is not asked for a while, which doubles with each failure up to 5 minutes, or
/// takes as long as the source asks for.
pub struct Fetcher {
    sources: Vec<CircuitBreaker>,
    roots: TrustedRoots,
    retry: RetryPolicy,
    clock: fn() -> SystemTime,
}

/// The time and the retries of a [`Fetcher`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The longest time of a request to one source. Sources share the time until the deadline.
    pub timeout: Duration,
    /// The number of retries of failed sources before a fetch fails.
    pub retries: u32,
    /// The pause of a source after its first failure; it doubles with each further one.
    pub first_pause: Duration,
}

impl Default for RetryPolicy {
    /// 5 seconds, 2 retries, a pause of a second.
    fn default() -> Self {
        Self { timeout: Duration::from_secs(5), retries: 2, first_pause: FIRST_PAUSE }
    }
}

/// A further check of a valid document.
type Accept<'a> = &'a dyn Fn(&Checked) -> Result<(), CheckError>;

impl Fetcher {
    /// Asks these sources; documents must lead to one of these roots at the time of this clock.
    #[must_use]
    pub fn new(
        sources: Vec<Box<dyn Source>>,
        roots: TrustedRoots,
        retry: RetryPolicy,
        clock: fn() -> SystemTime,
    ) -> Self {
        let guard = |source| CircuitBreaker::new(source, retry.first_pause);
        Self { sources: sources.into_iter().map(guard).collect(), roots, retry, clock }
    }

    /// The trusted roots.
    #[must_use]
    pub fn roots(&self) -> &TrustedRoots {
        &self.roots
    }

    /// The time of the clock.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        (self.clock)()
    }

    /// The names of the sources, in their order.
    pub fn source_names(&self) -> impl Iterator<Item = &str> {
        self.sources.iter().map(CircuitBreaker::name)
    }

    /// Fetches an item. Retries failed sources until the deadline.
    ///
    /// # Errors
    /// [`FetchError`] with the last failure of each source.
    pub fn fetch(&self, item: &CollateralId, deadline: Instant) -> Result<Record, FetchError> {
        self.fetch_acceptable(item, deadline, &|_| Ok(())).map(|(record, _)| record)
    }

    /// As [`fetch`](Self::fetch), with a further check.
    pub(crate) fn fetch_acceptable(
        &self,
        item: &CollateralId,
        deadline: Instant,
        accept: Accept<'_>,
    ) -> Result<(Record, Checked), FetchError> {
        let mut retries = self.retry.retries;
        loop {
            let error = match self.ask_each(item, deadline, accept) {
                Ok(record) => return Ok(record),
                Err(error) => error,
            };
            let next = self.next_attempt(item).filter(|next| *next < deadline);
            let Some(next) = next.filter(|_| error.is_transient() && retries > 0) else {
                return Err(error);
            };
            retries = retries.saturating_sub(1);
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    }

    fn ask_each(
        &self,
        item: &CollateralId,
        deadline: Instant,
        accept: Accept<'_>,
    ) -> Result<(Record, Checked), FetchError> {
        let mut attempts = Vec::new();
        for (number, source) in self.sources.iter().enumerate() {
            let share = share(deadline, self.sources.len().saturating_sub(number));
            match self.ask(source, item, share, accept) {
                Ok(record) => return Ok(record),
                Err(reason) => attempts.push(Attempt { source: source.name().to_owned(), reason }),
            }
        }
        Err(FetchError { item: item.to_string(), attempts })
    }

    fn ask(
        &self,
        source: &CircuitBreaker,
        item: &CollateralId,
        deadline: Instant,
        accept: Accept<'_>,
    ) -> Result<(Record, Checked), AttemptError> {
        let timeout = Instant::now().checked_add(self.retry.timeout).unwrap_or(deadline);
        let document = source.fetch(item, timeout.min(deadline))?;
        let now = self.now();
        let checked = inspect(item, &document, &self.roots, now)?;
        accept(&checked)?;
        let (validity, source) = (checked.validity, source.name().to_owned());
        Ok((Record { item: item.clone(), document, validity, fetched: now, source }, checked))
    }

    /// The time at which the first of the failed sources can be asked again.
    fn next_attempt(&self, item: &CollateralId) -> Option<Instant> {
        self.sources.iter().filter_map(|source| source.closes_at(item)).min()
    }
}

/// The deadline of the next of so many sources, which share the time equally.
fn share(deadline: Instant, sources: usize) -> Instant {
    let now = Instant::now();
    let sources = u32::try_from(sources).unwrap_or(u32::MAX);
    let share = deadline.saturating_duration_since(now).checked_div(sources).unwrap_or_default();
    now.checked_add(share).unwrap_or(deadline)
}
