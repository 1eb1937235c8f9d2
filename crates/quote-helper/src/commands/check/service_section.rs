//! The section `service`: from the socket to the collateral.

use std::path::PathBuf;
use std::time::SystemTime;

use ::collateral::NodeStatus;
use verify::TrustedRoots;

use super::finding::Finding;
use super::processor::Processor;
use super::self_quote::{self, SelfQuote};
use super::service::Service;
use super::verification::{self, Verification};
use super::{certificates, collateral, tcb};
use crate::endorsements::Endorsements;

/// What the service did when it was asked.
#[derive(Debug)]
pub(crate) struct ServiceSection {
    pub(crate) service: Service,
    self_quote: Option<SelfQuote>,
    verification: Option<Verification>,
    platforms: Vec<NodeStatus>,
}

impl ServiceSection {
    /// Asks the service at `socket` for a quote, and verifies that if there is a source of collateral.
    pub(crate) fn gather(socket: PathBuf, source: &Endorsements, roots: &TrustedRoots) -> Self {
        let service = Service::gather(socket);
        let self_quote = service.answers().then(|| SelfQuote::gather(&service.socket));
        let quote = self_quote.as_ref().and_then(SelfQuote::quote);
        let verification = quote.map(|quote| Verification::gather(quote, source, roots));
        Self { service, self_quote, verification, platforms: tcb::gather() }
    }

    /// The findings, of which `socket` is the first.
    pub(crate) fn findings(
        &self,
        socket: Finding,
        processor: &Processor,
        now: SystemTime,
    ) -> Vec<Finding> {
        let quote = self.self_quote.as_ref().and_then(SelfQuote::quote);
        let verification = self.verification.as_ref();
        let collateral = verification.and_then(Verification::collateral);
        vec![
            socket,
            self.service.answer(),
            self_quote::finding(self.self_quote.as_ref(), processor),
            verification::finding(verification),
            certificates::finding(quote, collateral, now),
            collateral::finding(verification, now),
            tcb::finding(&self.platforms),
        ]
    }
}
