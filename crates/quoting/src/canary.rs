//! A quote that is requested only to see whether quotes are made.

use aws_lc_rs::rand;
use sgx::{AttestationKeyId, Quote, ReportData, TargetInfo};
use software_platform::{EnclaveIdentity, SoftwareEnclave};

use crate::QuoteRequest;

/// The meaning of AESM_INVALID_REPORT as a real Quoting Enclave's reply to a canary.
pub const REAL_QE_ANSWERS: &str =
    "a real Quoting Enclave answers: it refused a REPORT that no real enclave made, as it must";

/// A request for a quote of a software enclave.
pub struct Canary(QuoteRequest);

/// A canary cannot be made, or its quote is a wrong one.
#[derive(Debug, thiserror::Error)]
pub enum CanaryError {
    /// The system has no random bytes.
    #[error("the system gives no random bytes")]
    Random,
    /// The bytes are not a quote.
    #[error(transparent)]
    Quote(#[from] sgx::QuoteParseError),
    /// The quote holds another REPORT.
    #[error("the quote is about another REPORT than the one it was asked for")]
    AnotherReport,
}

impl Canary {
    /// A fresh REPORT for the QE with this target info, so that an earlier quote does not fit.
    ///
    /// # Errors
    /// [`CanaryError::Random`].
    pub fn new(target_info: &TargetInfo) -> Result<Self, CanaryError> {
        let mut report_data = ReportData::default();
        rand::fill(&mut report_data.0).map_err(|_| CanaryError::Random)?;
        let report =
            SoftwareEnclave::new(EnclaveIdentity::default()).report(target_info, report_data);
        let key_id = AttestationKeyId::ecdsa_p256();
        Ok(Self(QuoteRequest { report, key_id, qe_report_info: None }))
    }

    /// The request.
    #[must_use]
    pub fn request(&self) -> &QuoteRequest {
        &self.0
    }

    /// Checks that the quote holds the REPORT; its signatures are not verified.
    ///
    /// # Errors
    /// [`CanaryError::Quote`] and [`CanaryError::AnotherReport`].
    pub fn check(&self, quote: &[u8]) -> Result<(), CanaryError> {
        let quoted = Quote::parse_padded(quote)?.body;
        match quoted.enclave() == Some(&self.0.report.body) {
            true => Ok(()),
            false => Err(CanaryError::AnotherReport),
        }
    }
}
