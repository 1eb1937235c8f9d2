//! The section `service`: the quote service from its socket to the collateral of its quotes.

mod certificates;
mod collateral;
mod self_quote;
mod socket;
mod tcb;
mod verification;

use std::path::PathBuf;
use std::time::SystemTime;

use ::collateral::NodeStatus;
use aesm::Client;
use quoting::AesmQuoter;
use sgx::Collateral;
use verify::TrustedRoots;

use self::self_quote::SelfQuote;
pub(crate) use self::socket::{CHECK_CLUSTER, PathState, Place, ServiceSocket, Units, restarts};
use self::verification::Verification;
use crate::finding::Finding;
use crate::host::Processor;

/// Gets the collateral for a quote, or the reason why there is none; `None` if no source of
/// collateral was chosen.
pub type CollateralLookup<'a> = dyn Fn(&[u8]) -> Option<Result<Collateral, String>> + 'a;

/// The quote service to check, and the means to verify its quote.
pub struct QuoteServiceTarget<'a> {
    /// The path of its socket.
    pub socket: PathBuf,
    /// The source of collateral.
    pub collateral: &'a CollateralLookup<'a>,
    /// The root certificates to trust.
    pub roots: &'a TrustedRoots,
}

#[derive(Debug)]
pub(crate) struct QuoteService {
    pub(crate) socket: ServiceSocket,
    self_quote: Option<SelfQuote>,
    verification: Option<Verification>,
    platforms: Vec<NodeStatus>,
}

impl QuoteService {
    /// Requests a quote, and verifies it if there is a source of collateral.
    pub(crate) fn gather(target: QuoteServiceTarget<'_>, place: Place) -> Self {
        let QuoteServiceTarget { socket, collateral, roots } = target;
        let socket = ServiceSocket::gather(socket, place);
        let quoter = AesmQuoter::new(&socket.path, Client::DEFAULT_TIMEOUT);
        let self_quote = socket.answers().then(|| self_quote::quote(&quoter));
        let quote = self_quote.as_ref().and_then(|quote| quote.as_deref().ok());
        let verification = quote.map(|quote| Verification::gather(quote, collateral, roots));
        Self { socket, self_quote, verification, platforms: tcb::gather() }
    }

    pub(crate) fn findings(
        &self,
        socket: Finding,
        processor: &Processor,
        now: SystemTime,
    ) -> Vec<Finding> {
        let quote = self.self_quote.as_ref().and_then(|quote| quote.as_deref().ok());
        let verification = self.verification.as_ref();
        let collateral = verification.and_then(Verification::collateral);
        vec![
            socket,
            self.socket.answer(),
            self_quote::finding(self.self_quote.as_ref(), processor),
            verification::finding(verification),
            certificates::finding(quote, collateral, now),
            collateral::finding(verification, now),
            tcb::finding(&self.platforms),
        ]
    }
}
