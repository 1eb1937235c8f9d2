//! PCK certificates.

use std::time::SystemTime;

use super::certificate::Certificate;
use super::issuer_chain::{PckIssuer, Signer, check_pck_ca};
use super::role::Role;
use super::{CollateralError, Now, PckCa, SgxExtension, Validity, pem_chain};
use crate::TrustedRoots;

const WHAT: &str = "the PCK certificate";

/// A valid PCK certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PckCertificate {
    /// Its platform, and the TCB that the PCK is derived for.
    pub extension: SgxExtension,
    /// The CA that issued it.
    pub ca: PckCa,
    /// That CA's certificate.
    pub signer: Signer,
    /// `notBefore` and `notAfter`.
    pub validity: Validity,
    /// Serial number, big-endian, without leading zeros.
    pub serial: Vec<u8>,
}

/// Checks a PCK certificate, except for its revocation: see [`PckCrl`](crate::PckCrl).
///
/// `certificate` is the PEM of one certificate, `issuer_chain` the PEM of its PCK CA and the root.
///
/// # Errors
/// [`CollateralError`] when it is not valid at `now`.
pub fn check_pck_certificate(
    certificate: &[u8],
    issuer_chain: &str,
    roots: &TrustedRoots,
    now: SystemTime,
) -> Result<PckCertificate, CollateralError> {
    let [certificate] = pem_chain::parse(WHAT, certificate)?;
    let certificate = Certificate::parse(WHAT, certificate)?;
    let now = Now::At(now);
    PckCertificate::check(&certificate, &check_pck_ca(WHAT, issuer_chain, roots, now)?, now)
}

impl PckCertificate {
    pub(super) fn check(
        certificate: &Certificate,
        PckIssuer { ca, issuer }: &PckIssuer<'_>,
        now: Now,
    ) -> Result<Self, CollateralError> {
        if !certificate.is_issued_by(&issuer.certificate) {
            let reason = format!("is not issued by the PCK {ca} CA of its issuer chain");
            return Err(CollateralError::wrongly_signed(WHAT, &reason));
        }
        Role::PckCertificate.check(WHAT, certificate, issuer.root)?;
        certificate.validity().check(WHAT, now)?;
        Ok(Self {
            extension: SgxExtension::of(certificate)?,
            ca: *ca,
            signer: issuer.signer(),
            validity: certificate.validity(),
            serial: certificate.serial(),
        })
    }
}
