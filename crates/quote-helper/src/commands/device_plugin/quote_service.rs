//! The test of the node's quote service.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aesm::ClientError;
use kubernetes::device_plugin::{QuoteServiceProbe, ServiceProblem};
use quoting::{AesmQuoter, Canary, Quoter, QuotingError};
use sgx::{AesmError, AttestationKeyId};

/// The limit of each request.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A test that asks the service at `socket` for a quote of a software enclave, as a client would.
pub(super) fn probe(socket: PathBuf) -> Arc<QuoteServiceProbe> {
    let quoter = AesmQuoter::new(socket, TIMEOUT);
    Arc::new(move || test(&quoter))
}

fn test(quoter: &impl Quoter) -> Result<(), ServiceProblem> {
    let key = quoter.initialize(&AttestationKeyId::ecdsa_p256()).map_err(problem)?;
    let canary = Canary::new(&key.target_info).map_err(invalid)?;
    match quoter.quote(canary.request()) {
        Ok(reply) => canary.check(&reply.quote).map_err(invalid),
        // A real Quoting Enclave refuses a REPORT of a software enclave.
        Err(error) if error.code() == AesmError::InvalidReport => Ok(()),
        Err(error) => Err(problem(error)),
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn problem(error: QuotingError) -> ServiceProblem {
    let reason = match &error {
        QuotingError::Service(ClientError::Connect { .. }) => "NotRunning",
        QuotingError::Service(ClientError::Timeout { .. }) => "NoAnswer",
        QuotingError::Service(ClientError::Refused(_)) => "QuoteRefused",
        _ => "WrongAnswer",
    };
    ServiceProblem { reason, message: error.to_string() }
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn invalid(error: quoting::CanaryError) -> ServiceProblem {
    ServiceProblem { reason: "WrongAnswer", message: error.to_string() }
}
