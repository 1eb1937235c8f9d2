//! Quotes from the software platform, made in this process.

use std::sync::Arc;

use sgx::{AesmError, AttestationKeyId};
use software_platform::{QuoteError, SoftwarePlatform};

use crate::{AttestationKey, Manner, QuoteReply, QuoteRequest, Quoter, QuotingError, check_key_id};

/// A Quoter on the software platform. Its attestation key is ready from the start.
#[derive(Clone)]
pub struct SoftwareQuoter(Arc<SoftwarePlatform>);

impl SoftwareQuoter {
    /// A Quoter on this platform.
    #[must_use]
    pub fn new(platform: Arc<SoftwarePlatform>) -> Self {
        Self(platform)
    }
}

impl Quoter for SoftwareQuoter {
    fn attestation_key_ids(&self) -> Result<Vec<AttestationKeyId>, QuotingError> {
        Ok(vec![self.0.attestation_key_id()])
    }

    fn initialize(&self, key_id: &AttestationKeyId) -> Result<AttestationKey, QuotingError> {
        check_key_id(key_id)?;
        Ok(AttestationKey {
            target_info: self.0.target_info(),
            public_key_id: self.0.public_key_id(),
        })
    }

    fn quote_size(&self, key_id: &AttestationKeyId) -> Result<u32, QuotingError> {
        check_key_id(key_id)?;
        Ok(u32::try_from(self.0.quote_size()).unwrap_or(u32::MAX))
    }

    fn quote(&self, request: &QuoteRequest) -> Result<QuoteReply, QuotingError> {
        check_key_id(&request.key_id)?;
        let (quote, qe_report_info) = self
            .0
            .quote(&request.report, request.qe_report_info)
            .map_err(|error| QuotingError::new(code(&error), error.to_string()))?;
        Ok(QuoteReply { quote, qe_report_info })
    }

    fn manner(&self) -> Manner<'_> {
        Manner::Immediate
    }
}

fn code(error: &QuoteError) -> AesmError {
    match error {
        QuoteError::Report(_) => AesmError::InvalidReport,
        _ => AesmError::Unexpected,
    }
}
