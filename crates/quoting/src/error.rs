//! Why there is no quote.

use aesm::ClientError;
use sgx::AesmError;

/// A Quoter could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum QuotingError {
    /// The Quoter itself says no.
    #[error("{detail}: {code}")]
    Failed {
        /// The official error.
        code: AesmError,
        /// What happened, and to which thing.
        detail: String,
    },
    /// The quote service says no, or did not answer.
    #[error(transparent)]
    Service(#[from] ClientError),
}

impl QuotingError {
    /// An error of the Quoter itself: its official code, and what happened to which thing.
    pub fn new(code: AesmError, detail: impl Into<String>) -> Self {
        Self::Failed { code, detail: detail.into() }
    }

    /// The code with which this error goes to an AESM client.
    #[must_use]
    pub fn code(&self) -> AesmError {
        match self {
            Self::Failed { code, .. } | Self::Service(ClientError::Refused(code)) => *code,
            Self::Service(ClientError::Frame(_) | ClientError::Response(_)) => {
                AesmError::Unexpected
            }
            Self::Service(_) => AesmError::ServiceUnavailable,
        }
    }
}
