//! Sources of collateral.

mod files;
mod http;
mod pcs;

use std::time::{Duration, Instant};

pub use self::files::FileSource;
pub use self::http::SourceOpenError;
pub use self::pcs::{PckList, PcsSource, PlatformIdentity};
use crate::{CollateralId, Document};

/// A PCS, a PCCS, or a directory of files.
pub trait Source: Send + Sync {
    /// Its name in messages: `the PCS at https://…`.
    fn name(&self) -> &str;

    /// Fetches an item until the deadline. Checks the format of the document only.
    ///
    /// # Errors
    /// [`SourceError`] if it gives no document.
    fn fetch(&self, item: &CollateralId, deadline: Instant) -> Result<Document, SourceError>;
}

/// A source gave no document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// It has no such item: status 404, or no such file.
    #[error("it has no such item")]
    NotFound,
    /// It does not serve such requests.
    #[error("it does not serve this: {0}")]
    NotOffered(&'static str),
    /// Status 461 of a PCCS.
    #[error(
        "it knows no platform with this QE id; register the platform there, or let another source be asked"
    )]
    UnknownPlatform,
    /// Status 462 of a PCCS.
    #[error("it knows the platform, but has no PCK certificate for it at this TCB")]
    NoCertificate,
    /// Status 401 or 403.
    #[error(
        "it refuses this client (status {0}); check the API key, the token and the permissions there"
    )]
    Denied(u16),
    /// It is busy: status 429 or 503.
    #[error("it is busy (status {status})")]
    Busy {
        /// The HTTP status.
        status: u16,
        /// Its header Retry-After, at most 5 minutes.
        retry_after: Option<Duration>,
    },
    /// It redirects: status 3xx.
    #[error(
        "it redirects (status {0}), which is not followed; configure the URL of the service itself"
    )]
    Redirect(u16),
    /// Another HTTP status.
    #[error("it answered with the HTTP status {0}; its own log may say why")]
    Status(u16),
    /// It cannot be reached.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    /// Its TLS certificate is not trusted; with the reason and the fix.
    #[error("its TLS certificate is not trusted: {0}")]
    Untrusted(String),
    /// It did not answer before the deadline.
    #[error("it did not answer in time")]
    Timeout,
    /// An unusable answer.
    #[error("its answer cannot be used: {0}")]
    Malformed(String),
}

impl SourceError {
    /// Tells if the source failed, rather than has no such item.
    #[must_use]
    pub fn is_source_failure(&self) -> bool {
        !matches!(
            self,
            Self::NotFound | Self::NotOffered(_) | Self::UnknownPlatform | Self::NoCertificate
        )
    }

    /// Tells if the source is not asked for a while. A 4xx status is about one request, which must
    /// not keep the source from the others.
    pub(crate) fn opens_circuit(&self) -> bool {
        self.is_source_failure() && !matches!(self, Self::Status(400..=499))
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}
