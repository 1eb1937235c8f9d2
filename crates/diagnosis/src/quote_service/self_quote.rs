//! A quote that the service makes for this check.

use quoting::{Canary, CanaryError, Quoter, QuotingError, REAL_QE_ANSWERS};
use sgx::{AesmError, AttestationKeyId};

use crate::finding::Finding;
use crate::host::Processor;

const NAME: &str = "self-quote";

/// A quote of the service that holds the REPORT of this check, or the error.
pub(super) type SelfQuote = Result<Vec<u8>, SelfQuoteError>;

/// The service made no quote, or a wrong one.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) enum SelfQuoteError {
    Quoting(#[from] QuotingError),
    Canary(#[from] CanaryError),
}

/// The finding; `None` if the service did not answer.
pub(super) fn finding(self_quote: Option<&SelfQuote>, processor: &Processor) -> Finding {
    let Some(outcome) = self_quote else {
        return Finding::skipped(NAME, "there is no service to ask", "see `answer`");
    };
    let Err(error) = outcome else {
        return Finding::ok(NAME, "the service quoted a REPORT of a software enclave");
    };
    let code = match error {
        SelfQuoteError::Quoting(error) => Some(error.code()),
        SelfQuoteError::Canary(_) => None,
    };
    match code {
        Some(AesmError::InvalidReport) if processor.has_sgx => Finding::skipped(
            NAME,
            REAL_QE_ANSWERS,
            "to see a real quote, write the target info with `quote-helper quote --target-info \
             FILE`, make a REPORT for it in an enclave of yours, and pass that to `quote-helper \
             quote --report FILE --out FILE` and the quote to `quote-helper verify`",
        ),
        Some(code) => Finding::failed(NAME, error.to_string(), fix(code)),
        None => Finding::failed(
            NAME,
            error.to_string(),
            "do not rely on this service: see which process holds the socket (ss -xlp)",
        ),
    }
}

/// Requests a quote for a fresh REPORT of a software enclave, and checks that it holds that REPORT.
pub(super) fn quote(quoter: &dyn Quoter) -> SelfQuote {
    let target_info = quoter.initialize(&AttestationKeyId::ecdsa_p256())?.target_info;
    let canary = Canary::new(&target_info)?;
    let quote = quoter.quote(canary.request())?.quote;
    canary.check(&quote)?;
    Ok(quote)
}

fn fix(code: AesmError) -> &'static str {
    match code {
        AesmError::OutOfEpc => "see `epc`, and which enclaves fill the enclave memory",
        AesmError::EnclaveLoad | AesmError::DeviceNotAvailable | AesmError::NoDevice => {
            "run `quote-helper check` as the user and in the container of the service; see \
             `enclave-device`, `noexec` and `provision-device`"
        }
        AesmError::NoPlatformCertData | AesmError::PlatformLibUnavailable => {
            "see `libdcap-quoteprov`, and whether its PCCS has certificates for this platform"
        }
        AesmError::InterfaceUnavailable => "see `libsgx-pce-logic`",
        AesmError::UnsupportedAttKeyId => {
            "let the policy of the service allow this user and enclave (`allowed_uids` and so on; \
             its log has the reason)"
        }
        _ => "see the log of the service",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use quoting::{AttestationKey, QuoteReply, QuoteRequest, SoftwareQuoter};

    use super::*;
    use crate::finding::Status;
    use crate::fixtures;

    fn refused(code: AesmError) -> SelfQuote {
        Err(QuotingError::new(code, "no quote").into())
    }

    #[test]
    fn a_real_quoting_enclave_refuses_and_is_alive() {
        let refused = refused(AesmError::InvalidReport);
        let finding = finding(Some(&refused), &fixtures::server());
        assert_eq!(finding.status, Status::Skipped);
        assert!(finding.fix.unwrap().contains("--target-info"));
    }

    #[test]
    fn without_sgx_there_is_no_quoting_enclave_that_could_refuse() {
        let refused = refused(AesmError::InvalidReport);
        assert_eq!(finding(Some(&refused), &fixtures::amd()).status, Status::Failed);
    }

    #[test]
    fn other_errors_lead_to_the_finding_that_explains_them() {
        for (code, text) in [
            (AesmError::OutOfEpc, "`epc`"),
            (AesmError::EnclaveLoad, "`noexec`"),
            (AesmError::NoPlatformCertData, "`libdcap-quoteprov`"),
            (AesmError::InterfaceUnavailable, "`libsgx-pce-logic`"),
            (AesmError::Unexpected, "log"),
        ] {
            let finding = finding(Some(&refused(code)), &fixtures::server());
            assert_eq!(finding.status, Status::Failed);
            assert!(finding.fix.unwrap().contains(text), "{code}");
        }
    }

    /// Returns the same quote for each request.
    struct Replaying {
        quoter: SoftwareQuoter,
        quote: Vec<u8>,
    }

    impl Quoter for Replaying {
        fn attestation_key_ids(&self) -> Result<Vec<AttestationKeyId>, QuotingError> {
            self.quoter.attestation_key_ids()
        }

        fn initialize(&self, key_id: &AttestationKeyId) -> Result<AttestationKey, QuotingError> {
            self.quoter.initialize(key_id)
        }

        fn quote_size(&self, key_id: &AttestationKeyId) -> Result<u32, QuotingError> {
            self.quoter.quote_size(key_id)
        }

        fn quote(&self, _: &QuoteRequest) -> Result<QuoteReply, QuotingError> {
            Ok(QuoteReply { quote: self.quote.clone(), qe_report_info: None })
        }
    }

    #[test]
    fn a_quote_about_another_report_is_no_success() {
        let quoter = SoftwareQuoter::new(Arc::new(fixtures::software_platform()));
        let earlier = quote(&quoter).unwrap();
        for replayed in [earlier, b"no quote".to_vec()] {
            let quoter = quoter.clone();
            let replayed = quote(&Replaying { quoter, quote: replayed });
            assert!(replayed.is_err());
            assert_eq!(finding(Some(&replayed), &fixtures::server()).status, Status::Failed);
        }
    }

    #[test]
    fn no_service_is_skipped() {
        assert_eq!(finding(None, &fixtures::server()).status, Status::Skipped);
    }
}
