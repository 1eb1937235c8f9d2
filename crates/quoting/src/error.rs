//! The reasons for which there is no quote.

use aesm::ClientError;
use sgx::{AesmError, Quote3Error};

/// The error of a Quoter.
#[derive(Debug, thiserror::Error)]
pub enum QuotingError {
    /// An error of the Quoter itself.
    #[error("{detail}: {code}")]
    Failed {
        /// The official error.
        code: AesmError,
        /// The event and its object.
        detail: String,
    },
    /// An error of Intel's quote generation library.
    #[error("{function} failed: {error}{hint}", hint = hint(*error))]
    Dcap {
        /// The function's name.
        function: &'static str,
        /// Its return value.
        error: Quote3Error,
    },
    /// An error that a worker process reported.
    #[error("{detail}")]
    Worker {
        /// The official error.
        code: AesmError,
        /// The worker's message, code included.
        detail: String,
    },
    /// The quote service refused the request, or did not answer.
    #[error(transparent)]
    Service(#[from] ClientError),
}

impl QuotingError {
    /// An error of the Quoter itself: official code, event and object.
    pub fn new(code: AesmError, detail: impl Into<String>) -> Self {
        Self::Failed { code, detail: detail.into() }
    }

    /// The code that an AESM client gets for this error.
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

/// A suggestion for errors whose names do not imply one.
fn hint(error: Quote3Error) -> &'static str {
    match error {
        Quote3Error::INTERFACE_UNAVAILABLE => {
            "; is the PCE installed (libsgx_pce_logic.so.1 of the package libsgx-pce-logic)?"
        }
        Quote3Error::PLATFORM_LIB_UNAVAILABLE => {
            "; is a quote provider library installed (libdcap_quoteprov.so.1, for instance of the \
             package libsgx-dcap-default-qpl)?"
        }
        Quote3Error::ENCLAVE_LOAD => {
            "; may this process open /dev/sgx_enclave, is there enough EPC, is the package \
             libsgx-ae-qe3 installed? run `quote-helper check`"
        }
        Quote3Error::OUT_OF_EPC => {
            "; stop other enclaves, or let this process have more EPC (QE and PCE need it too)"
        }
        Quote3Error::ENCLAVE_LOST => {
            "; after a suspend, for instance, only a new process can load the enclaves again"
        }
        Quote3Error::INVALID_PRIVILEGE => {
            "; may this process open /dev/sgx_provision (group sgx_prv)? run `quote-helper check`"
        }
        Quote3Error::NO_PLATFORM_CERT_DATA => {
            "; does the quote provider library have PCK certificates for this platform?"
        }
        _ => "",
    }
}
