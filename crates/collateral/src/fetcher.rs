//! Sources, one after the other.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use verify::TrustedRoots;

use crate::backoff::{Backoff, FIRST_PAUSE};
use crate::check::{CheckError, Checked, inspect};
use crate::{CollateralId, Record, Source, SourceError};

/// Asks the sources in their order until one gives an answer that holds.
///
/// A source that is in trouble is left alone for a while, the longer the more often it failed, and as long as it
/// asks for itself, up to five minutes. Trouble with PCK certificates, for which it may want an API key or know quotas,
/// says nothing of its other collateral, nor the other way round.
pub struct Fetcher {
    sources: Vec<Guarded>,
    roots: TrustedRoots,
    timing: RetryPolicy,
    clock: fn() -> SystemTime,
}

/// How long a [`Fetcher`] tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The time for one question to one source, if there is as much: the sources share what there is.
    pub timeout: Duration,
    /// How often sources in trouble are asked again before there is no answer.
    pub retries: u32,
    /// About how long a source is left alone after its first failure; the pause doubles with each further one.
    pub first_pause: Duration,
}

impl Default for RetryPolicy {
    /// 5 seconds, 2 times, a second.
    fn default() -> Self {
        Self { timeout: Duration::from_secs(5), retries: 2, first_pause: FIRST_PAUSE }
    }
}

/// Whether an answer that holds is wanted.
type Accept<'a> = &'a dyn Fn(&Checked) -> Result<(), CheckError>;

struct Guarded {
    source: Box<dyn Source>,
    with_pck_certificates: Mutex<Trouble>,
    with_collateral: Mutex<Trouble>,
}

struct Trouble {
    first_pause: Duration,
    backoff: Backoff,
    last: Option<SourceError>,
}

/// No source has an answer that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchError {
    /// What was asked for.
    pub item: String,
    /// Which source failed in which way, in their order.
    pub attempts: Vec<Attempt>,
}

/// What came of asking one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The name of the source.
    pub source: String,
    /// Why it gave nothing.
    pub reason: AttemptError,
}

/// Why a source gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttemptError {
    /// It gave no document.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// It gave a document that does not hold.
    #[error("its answer was refused: {0}")]
    Refused(#[from] CheckError),
    /// It has failed lately and is not asked.
    #[error("{last}; it is asked again in {} s", .wait.as_secs().saturating_add(1))]
    BackingOff {
        /// How it failed.
        last: SourceError,
        /// For how long it is not asked.
        wait: Duration,
    },
}

impl Fetcher {
    /// Asks these sources; what they say must lead to one of these roots at the time of this clock.
    #[must_use]
    pub fn new(
        sources: Vec<Box<dyn Source>>,
        roots: TrustedRoots,
        timing: RetryPolicy,
        clock: fn() -> SystemTime,
    ) -> Self {
        let none = || Mutex::new(Trouble::none(timing.first_pause));
        let guarded =
            |source| Guarded { source, with_pck_certificates: none(), with_collateral: none() };
        Self { sources: sources.into_iter().map(guarded).collect(), roots, timing, clock }
    }

    /// The roots that answers lead to.
    #[must_use]
    pub fn roots(&self) -> &TrustedRoots {
        &self.roots
    }

    /// The time by its clock.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        (self.clock)()
    }

    /// The names of the sources, in their order.
    pub fn source_names(&self) -> impl Iterator<Item = &str> {
        self.sources.iter().map(|guarded| guarded.source.name())
    }

    /// Fetches the item, until the deadline at the latest. Sources in trouble are tried again until then.
    ///
    /// # Errors
    /// [`FetchError`] with what each source said last.
    pub fn fetch(&self, item: &CollateralId, deadline: Instant) -> Result<Record, FetchError> {
        self.fetch_acceptable(item, deadline, &|_| Ok(())).map(|(record, _)| record)
    }

    /// The same for the first answer that is acceptable, too.
    pub(crate) fn fetch_acceptable(
        &self,
        item: &CollateralId,
        deadline: Instant,
        accept: Accept<'_>,
    ) -> Result<(Record, Checked), FetchError> {
        let mut retries = self.timing.retries;
        loop {
            let error = match self.ask_each(item, deadline, accept) {
                Ok(record) => return Ok(record),
                Err(error) => error,
            };
            let next = self.next_attempt(item).filter(|next| *next < deadline);
            let Some(next) = next.filter(|_| error.may_pass() && retries > 0) else {
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
        for (number, guarded) in self.sources.iter().enumerate() {
            let turn = share(deadline, self.sources.len().saturating_sub(number));
            match self.ask(guarded, item, turn, accept) {
                Ok(record) => return Ok(record),
                Err(reason) => {
                    attempts.push(Attempt { source: guarded.source.name().to_owned(), reason });
                }
            }
        }
        Err(FetchError { item: item.to_string(), attempts })
    }

    fn ask(
        &self,
        guarded: &Guarded,
        item: &CollateralId,
        deadline: Instant,
        accept: Accept<'_>,
    ) -> Result<(Record, Checked), AttemptError> {
        let trouble = guarded.trouble(item).now();
        if let Some((last, until)) = trouble {
            let wait = until.saturating_duration_since(Instant::now());
            return Err(AttemptError::BackingOff { last, wait });
        }
        let attempt = Instant::now().checked_add(self.timing.timeout).unwrap_or(deadline);
        let fetched = guarded.source.fetch(item, attempt.min(deadline));
        guarded.learn(item, fetched.as_ref().err());
        let (document, now) = (fetched?, self.now());
        let checked = inspect(item, &document, &self.roots, now)?;
        accept(&checked)?;
        let (validity, source) = (checked.validity, guarded.source.name().to_owned());
        Ok((Record { item: item.clone(), document, validity, fetched: now, source }, checked))
    }

    /// When the first of the sources in trouble may be asked again.
    fn next_attempt(&self, item: &CollateralId) -> Option<Instant> {
        self.sources.iter().filter_map(|guarded| guarded.trouble(item).backoff.until()).min()
    }
}

/// The end of the next one's turn, so that all who are left have as much time.
fn share(deadline: Instant, left: usize) -> Instant {
    let now = Instant::now();
    let turns = u32::try_from(left).unwrap_or(u32::MAX);
    let turn = deadline.saturating_duration_since(now).checked_div(turns).unwrap_or_default();
    now.checked_add(turn).unwrap_or(deadline)
}

impl Guarded {
    /// The trouble with questions of this kind. No panic happens while the lock is held.
    fn trouble(&self, item: &CollateralId) -> MutexGuard<'_, Trouble> {
        let trouble = match item {
            CollateralId::PckCertificate(_) => &self.with_pck_certificates,
            _ => &self.with_collateral,
        };
        trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn learn(&self, item: &CollateralId, failure: Option<&SourceError>) {
        let mut trouble = self.trouble(item);
        match failure {
            Some(error @ SourceError::Busy { retry_after, .. }) => trouble.add(error, *retry_after),
            Some(error) if error.is_of_source() => trouble.add(error, None),
            _ => *trouble = Trouble::none(trouble.first_pause),
        }
    }
}

impl Trouble {
    fn none(first_pause: Duration) -> Self {
        Self { first_pause, backoff: Backoff::new(first_pause), last: None }
    }

    fn add(&mut self, error: &SourceError, wish: Option<Duration>) {
        self.backoff.fail(wish);
        self.last = Some(error.clone());
    }

    /// What it is, and until when.
    fn now(&self) -> Option<(SourceError, Instant)> {
        Some((self.last.clone()?, self.backoff.until()?))
    }
}

impl FetchError {
    /// Whether it may be otherwise when asked again a moment later.
    fn may_pass(&self) -> bool {
        self.attempts.iter().any(|attempt| match &attempt.reason {
            // A certificate is as good a moment later.
            AttemptError::Source(SourceError::Untrusted(_))
            | AttemptError::BackingOff { last: SourceError::Untrusted(_), .. } => false,
            AttemptError::Source(error) => error.is_source_failure(),
            AttemptError::BackingOff { .. } => true,
            AttemptError::Refused(_) => false,
        })
    }

    /// Tells if every source is in trouble, so that other items would fare no better.
    #[must_use]
    pub fn all_sources_failed(&self) -> bool {
        self.reasons().all(|reason| match reason {
            AttemptError::Source(error) => error.is_source_failure(),
            AttemptError::BackingOff { .. } => true,
            AttemptError::Refused(_) => false,
        })
    }

    /// Whether a source has answered, but with something older than what was kept before.
    pub(crate) fn is_of_older(&self) -> bool {
        self.reasons()
            .any(|reason| matches!(reason, AttemptError::Refused(CheckError::Older { .. })))
    }

    /// The reasons of the sources that were asked.
    pub fn reasons(&self) -> impl Iterator<Item = &AttemptError> {
        self.attempts.iter().map(|attempt| &attempt.reason)
    }
}

impl std::error::Error for FetchError {}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let item = &self.item;
        match &self.attempts[..] {
            [] => write!(f, "{item} is not in the cache, and there is no source to ask for it"),
            [Attempt { source, reason }] => {
                write!(f, "{item} is not to be had: {source}: {reason}")
            }
            attempts => {
                write!(f, "{item} is not to be had from any source")?;
                attempts
                    .iter()
                    .try_for_each(|Attempt { source, reason }| write!(f, "; {source}: {reason}"))
            }
        }
    }
}
