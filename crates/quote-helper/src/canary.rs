//! A quote that is asked for only to see whether quotes are made.

use anyhow::ensure;
use aws_lc_rs::rand;
use quoting::QuoteRequest;
use sgx::{AttestationKeyId, Quote, ReportData, TargetInfo};
use software_platform::{EnclaveIdentity, SoftwareEnclave};

/// What it means when a Quoting Enclave of real SGX refuses a canary with AESM_INVALID_REPORT.
pub(crate) const REAL_QE_ANSWERS: &str =
    "a real Quoting Enclave answers: it refused a REPORT that no real enclave made, as it must";

/// A request for a quote of a software enclave.
pub(crate) struct Canary(QuoteRequest);

impl Canary {
    /// A fresh REPORT, so that no quote of before will do, for the QE with this target info.
    pub(crate) fn new(target_info: &TargetInfo) -> anyhow::Result<Self> {
        let mut report_data = ReportData::default();
        rand::fill(&mut report_data.0)?;
        let report =
            SoftwareEnclave::new(EnclaveIdentity::default()).report(target_info, report_data);
        let key_id = AttestationKeyId::ecdsa_p256();
        Ok(Self(QuoteRequest { report, key_id, qe_report_info: None }))
    }

    /// What to ask for.
    pub(crate) fn request(&self) -> &QuoteRequest {
        &self.0
    }

    /// That the quote says what the REPORT says. Whether it is a good one is for a verifier to say.
    pub(crate) fn check(&self, quote: &[u8]) -> anyhow::Result<()> {
        let quoted = Quote::parse_padded(quote)?.body;
        ensure!(
            quoted.enclave() == Some(&self.0.report.body),
            "the quote is about another REPORT than the one it was asked for"
        );
        Ok(())
    }
}
