//! One canary quote.

use std::sync::Arc;

use quoting::{
    Canary, Execution, Flow, QuoteReply, QuoteRequest, QuotingError, REAL_QE_ANSWERS, ServedQuoter,
};
use sgx::{AesmError, AttestationKeyId};
use tokio::task::spawn_blocking;

use super::proof::Proof;
use crate::failure::explain;

/// Canary quotes are a tenant of their own; the numbers of clients' tenants count up from 1.
const FLOW: Flow = Flow { tenant: u64::MAX, user: 0 };

/// Makes and checks canary quotes.
pub(super) struct CanaryQuoter {
    pub(super) quoter: Arc<dyn ServedQuoter>,
    pub(super) proof: Proof,
}

impl CanaryQuoter {
    /// Makes a quote, and describes its proof, or the reason that there is none.
    pub(super) async fn quote(&self) -> Result<String, String> {
        self.prove().await.map_err(|error| explain(&error))
    }

    async fn prove(&self) -> anyhow::Result<String> {
        let key_id = AttestationKeyId::ecdsa_p256();
        match self.quoter.quote_size(&key_id) {
            // To initialize it would take from the clients the error by which they learn of it.
            Err(error) if error.code() == AesmError::AttKeyNotInitialized => {
                return Ok("the attestation key is a new one, which no client has used yet".into());
            }
            size => size?,
        };
        let canary = Canary::new(&self.quoter.initialize(&key_id)?.target_info)?;
        let quote = match self.make(canary.request()).await {
            Err(error) if self.is_refused_by_real_qe(&error) => return Ok(REAL_QE_ANSWERS.into()),
            reply => reply?.quote,
        };
        canary.check(&quote)?;
        let proof = self.proof.clone();
        spawn_blocking(move || proof.of(&quote)).await?
    }

    fn is_refused_by_real_qe(&self, error: &QuotingError) -> bool {
        matches!(self.proof, Proof::Answers) && error.code() == AesmError::InvalidReport
    }

    /// Makes it without a pause for clients, which the same thread serves.
    async fn make(&self, request: &QuoteRequest) -> Result<QuoteReply, QuotingError> {
        match self.quoter.execution() {
            Execution::Inline => self.quoter.quote(request),
            Execution::Async(quoter) => quoter.quote(Box::new(request.clone()), FLOW).await,
        }
    }
}
