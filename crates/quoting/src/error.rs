//! Why there is no quote.

use aesm::ClientError;
use sgx::{AesmError, Quote3Error};

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
    /// A function of Intel's quote generation library says no.
    #[error("{function} failed: {error}{hint}", hint = hint(*error))]
    Dcap {
        /// The function's name.
        function: &'static str,
        /// What it returned.
        error: Quote3Error,
    },
    /// A worker process says no.
    #[error("{detail}")]
    Worker {
        /// The official error.
        code: AesmError,
        /// What the worker says of it, the code included.
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
            Self::Failed { code, .. }
            | Self::Worker { code, .. }
            | Self::Service(ClientError::Refused(code)) => *code,
            Self::Dcap { error, .. } => error.aesm(),
            Self::Service(ClientError::Frame(_) | ClientError::Response(_)) => {
                AesmError::Unexpected
            }
            Self::Service(_) => AesmError::ServiceUnavailable,
        }
    }
}

/// What to do about an error whose name does not tell.
fn hint(error: Quote3Error) -> &'static str {
    match error {
        Quote3Error::INTERFACE_UNAVAILABLE => {
            "; is the PCE there (libsgx_pce_logic.so.1 of the package libsgx-pce-logic)?"
        }
        Quote3Error::PLATFORM_LIB_UNAVAILABLE => {
            "; is a quote provider library there (libdcap_quoteprov.so.1, for instance of the \
             package libsgx-dcap-default-qpl)?"
        }
        Quote3Error::ENCLAVE_LOAD => {
            "; may this process open /dev/sgx_enclave, is there enough EPC, is the package \
             libsgx-ae-qe3 there? `quote-helper check` tells"
        }
        Quote3Error::OUT_OF_EPC => {
            "; stop other enclaves, or let this process have more EPC (QE and PCE need it too)"
        }
        Quote3Error::ENCLAVE_LOST => {
            "; after a suspend, for instance, only a new process has the enclaves loaded again"
        }
        Quote3Error::INVALID_PRIVILEGE => {
            "; may this process open /dev/sgx_provision (group sgx_prv)? `quote-helper check` tells"
        }
        Quote3Error::NO_PLATFORM_CERT_DATA => {
            "; has the quote provider library PCK certificates for this platform?"
        }
        _ => "",
    }
}
