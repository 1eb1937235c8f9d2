//! A Quoter whose answers a test chooses.

use quoting::{
    AsyncQuoter, AttestationKey, Execution, Flow, FutureQuote, QuoteReply, QuoteRequest, Quoter,
    QuotingError, ServedQuoter,
};
use sgx::{AesmError, AttestationKeyId, TargetInfo};
use tokio::sync::watch;

/// Makes the same quote for each request, whatever its REPORT.
pub(crate) struct TestQuoter {
    pub(crate) key_ids: Vec<AttestationKeyId>,
    pub(crate) quote_size: Result<u32, AesmError>,
    pub(crate) quote: Vec<u8>,
    /// Quotes are made inline without a gate, and otherwise wait until this is true.
    pub(crate) gate: Option<watch::Sender<bool>>,
}

impl Default for TestQuoter {
    fn default() -> Self {
        let key_ids = vec![AttestationKeyId::ecdsa_p256()];
        Self { key_ids, quote_size: Ok(100), quote: vec![7; 100], gate: None }
    }
}

impl TestQuoter {
    /// A Quoter whose quotes wait for [`TestQuoter::open_gate`].
    pub(crate) fn gated() -> Self {
        Self { gate: Some(watch::Sender::default()), ..Self::default() }
    }

    pub(crate) fn open_gate(&self) {
        self.gate.as_ref().unwrap().send_replace(true);
    }

    fn reply(&self) -> QuoteReply {
        QuoteReply { quote: self.quote.clone(), qe_report_info: None }
    }
}

impl Quoter for TestQuoter {
    fn attestation_key_ids(&self) -> Result<Vec<AttestationKeyId>, QuotingError> {
        Ok(self.key_ids.clone())
    }

    fn initialize(&self, _: &AttestationKeyId) -> Result<AttestationKey, QuotingError> {
        Ok(AttestationKey { target_info: TargetInfo::default(), public_key_id: [7; 32] })
    }

    fn quote_size(&self, _: &AttestationKeyId) -> Result<u32, QuotingError> {
        self.quote_size.map_err(|code| QuotingError::new(code, "chosen by the test"))
    }

    fn quote(&self, _: &QuoteRequest) -> Result<QuoteReply, QuotingError> {
        Ok(self.reply())
    }
}

impl ServedQuoter for TestQuoter {
    fn execution(&self) -> Execution<'_> {
        match self.gate {
            None => Execution::Inline,
            Some(_) => Execution::Async(self),
        }
    }
}

impl AsyncQuoter for TestQuoter {
    fn quote(&self, _: Box<QuoteRequest>, _: Flow) -> FutureQuote {
        let (mut gate, reply) = (self.gate.as_ref().unwrap().subscribe(), self.reply());
        Box::pin(async move {
            gate.wait_for(|open| *open).await.unwrap();
            Ok(reply)
        })
    }
}
