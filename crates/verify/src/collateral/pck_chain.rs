//! The PCK certificate chain of a quote.

use std::time::SystemTime;

use rustls_pki_types::CertificateDer;

use super::certificate::Certificate;
use super::issuer_chain::{Issuer, PckIssuer};
use super::{CollateralError, PckCertificate, PckCrl};
use crate::TrustedRoot;

const WHAT: &str = "the PCK certificate chain";

/// A chain that leads to a trusted root: PCK certificate, PCK CA, root.
pub(crate) struct PckChain<'r> {
    pub(crate) pck: PckCertificate,
    pub(crate) der: CertificateDer<'static>,
    ca: PckIssuer<'r>,
}

impl<'r> PckChain<'r> {
    /// Checks a chain in PEM.
    ///
    /// A quote has the root of the time when its platform was provisioned. So another edition of
    /// the trusted root (same name, same key) may end the chain; the trusted one counts.
    pub(crate) fn check(
        pem: &[u8],
        root: &'r TrustedRoot,
        now: SystemTime,
    ) -> Result<Self, CollateralError> {
        let [leaf, ca, edition] = parse_chain(pem)?;
        let trusted = Certificate::parse(WHAT, root.der().to_vec())?;
        if !edition.is_same_authority(&trusted) {
            return Err(edition.untrusted(WHAT));
        }
        let ca = PckIssuer::new(WHAT, Issuer::check(WHAT, ca, root, &trusted, now)?)?;
        Ok(Self { pck: PckCertificate::check(&leaf, &ca, now)?, der: leaf.der().clone(), ca })
    }

    /// Checks a CRL of this chain's PCK CA.
    pub(crate) fn check_crl(&self, crl: &[u8], now: SystemTime) -> Result<PckCrl, CollateralError> {
        PckCrl::check(crl, &self.ca, now)
    }
}

/// Reads a chain in PEM: PCK certificate, PCK CA, root. Some quotes pad it with zeros.
pub(super) fn parse_chain(pem: &[u8]) -> Result<[Certificate; 3], CollateralError> {
    let padding = pem.iter().rev().take_while(|byte| **byte == 0).count();
    let pem = pem.get(..pem.len().saturating_sub(padding)).unwrap_or(pem);
    Certificate::parse_pem(WHAT, pem)
}
