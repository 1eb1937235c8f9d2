//! The PCK certificate chain of a quote.

use std::sync::Arc;

use super::certificate::{AuthorityId, Certificate};
use super::issuer_chain::{Issuer, PckIssuer};
use super::revocation_list::RevocationList;
use super::{CollateralDates, CollateralError, Now, PckCertificate, pem_chain};
use crate::signatures::PublicKey;
use crate::{TrustedRoot, TrustedRoots};

const WHAT: &str = "the PCK certificate chain";

/// A readable chain: PCK certificate, PCK CA, root. Otherwise unchecked.
pub(crate) struct PckChain {
    certificate: Certificate,
    ca: Arc<Certificate>,
    pub(super) root: Arc<Certificate>,
    /// The PCK.
    pub(crate) key: PublicKey,
}

/// A PCK certificate that leads to a trusted root.
#[derive(Debug, Clone)]
pub(crate) struct CertifiedPck {
    pub(crate) certificate: PckCertificate,
    /// The PCK CA, which issued the certificate and a CRL.
    pub(crate) ca: AuthorityId,
    /// The dates of the chain.
    pub(crate) dates: CollateralDates,
}

impl PckChain {
    /// Reads a chain in PEM, mostly up to one of these roots. Some quotes pad it with zeros.
    pub(crate) fn parse(pem: &[u8], roots: &TrustedRoots) -> Result<Self, CollateralError> {
        let padding = pem.iter().rev().take_while(|byte| **byte == 0).count();
        let pem = pem.get(..pem.len().saturating_sub(padding)).unwrap_or(pem);
        let [certificate, ca, root] = pem_chain::parse(WHAT, pem)?;
        let certificate = Certificate::parse(WHAT, certificate)?;
        let ca = Certificate::parse(WHAT, ca)?;
        let root = match roots.iter().find(|trusted| trusted.der() == root) {
            Some(trusted) => Arc::clone(trusted.certificate()),
            None => Certificate::parse(WHAT, root)?.into(),
        };
        let key = certificate.key().ok_or_else(|| {
            CollateralError::unreadable(WHAT, "the key of the PCK certificate is not on P-256")
        })?;
        Ok(Self { certificate, ca: ca.into(), root, key })
    }
}

impl CertifiedPck {
    /// Checks that a chain leads to `root`, and that its PCK CA issued `crl`.
    ///
    /// A quote has the root of the time when its platform was provisioned. So another edition of
    /// the trusted root (same name, same key) may end the chain; the trusted one counts.
    pub(crate) fn check(
        chain: &PckChain,
        crl: &RevocationList,
        root: &TrustedRoot,
        now: Now,
    ) -> Result<Self, CollateralError> {
        if !chain.root.is_same_authority(root.certificate()) {
            return Err(chain.root.untrusted(WHAT));
        }
        let ca = PckIssuer::new(WHAT, Issuer::check(WHAT, Arc::clone(&chain.ca), root, now)?)?;
        let certificate = PckCertificate::check(&chain.certificate, &ca, now)?;
        crl.check_issued_by(&ca)?;
        crl.check_dates(now)?;
        let dates = CollateralDates::from(certificate.validity)
            .with(certificate.signer.dates)
            .with(chain.root.validity());
        Ok(Self { ca: chain.ca.authority_id(), dates, certificate })
    }
}
