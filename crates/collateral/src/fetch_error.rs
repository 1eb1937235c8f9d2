//! Failures to fetch collateral.

use std::fmt;
use std::time::Duration;

use crate::check::CheckError;
use crate::source::SourceError;

/// No source has a valid document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchError {
    /// The name of the item.
    pub item: String,
    /// The failures of the sources, in the order in which they were asked.
    pub attempts: Vec<Attempt>,
}

/// A failure of one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The name of the source.
    pub source: String,
    /// The reason.
    pub reason: AttemptError,
}

/// The reason for which a source gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttemptError {
    /// It gave no document.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Its document is invalid.
    #[error("its response was rejected: {0}")]
    Refused(#[from] CheckError),
    /// It has failed recently and was not asked.
    #[error("{last}; it is asked again in {} s", .wait.as_secs().saturating_add(1))]
    BackingOff {
        /// Its last failure.
        last: SourceError,
        /// The time until it is asked again.
        wait: Duration,
    },
}

impl FetchError {
    /// Tells if a retry a moment later may succeed.
    pub(crate) fn is_transient(&self) -> bool {
        self.reasons().any(|reason| match reason {
            // A certificate is the same a moment later.
            AttemptError::Source(SourceError::Untrusted(_))
            | AttemptError::BackingOff { last: SourceError::Untrusted(_), .. } => false,
            other => other.is_source_failure(),
        })
    }

    /// Tells if every source failed, so that it cannot serve other items either.
    #[must_use]
    pub fn all_sources_failed(&self) -> bool {
        self.reasons().all(AttemptError::is_source_failure)
    }

    /// Tells if a source gave an older document than was stored before.
    pub(crate) fn has_older(&self) -> bool {
        self.reasons()
            .any(|reason| matches!(reason, AttemptError::Refused(CheckError::Older { .. })))
    }

    /// The reasons of all sources.
    pub fn reasons(&self) -> impl Iterator<Item = &AttemptError> {
        self.attempts.iter().map(|attempt| &attempt.reason)
    }
}

impl AttemptError {
    fn is_source_failure(&self) -> bool {
        match self {
            Self::Source(error) => error.is_source_failure(),
            Self::BackingOff { .. } => true,
            Self::Refused(_) => false,
        }
    }
}

impl std::error::Error for FetchError {}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let item = &self.item;
        match &self.attempts[..] {
            [] => write!(f, "{item} is not in the cache, and there is no source to ask for it"),
            [Attempt { source, reason }] => write!(f, "cannot fetch {item}: {source}: {reason}"),
            attempts => {
                write!(f, "cannot fetch {item} from any source")?;
                attempts
                    .iter()
                    .try_for_each(|Attempt { source, reason }| write!(f, "; {source}: {reason}"))
            }
        }
    }
}
