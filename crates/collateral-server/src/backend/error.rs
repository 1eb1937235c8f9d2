//! Errors of the backend: of its sources, or of its own database.

use collateral::SourceError;

use crate::platform_store::StoreError;

/// A document or a registration cannot be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BackendError {
    /// The sources have no such document, or failed.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The database failed.
    #[error("{0}")]
    Store(String),
    /// The QE id is bound to another platform.
    #[error("another platform has registered with this QE id")]
    Conflict,
}

impl From<StoreError> for BackendError {
    fn from(error: StoreError) -> Self {
        Self::Store(error.to_string())
    }
}

impl BackendError {
    /// Tells if the sources or the database failed, rather than that there is no such document.
    pub(crate) fn is_failure(&self) -> bool {
        match self {
            Self::Source(error) => error.is_source_failure(),
            Self::Store(_) => true,
            Self::Conflict => false,
        }
    }
}
