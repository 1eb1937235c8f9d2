//! PCK certificates.

use std::time::SystemTime;

use sgx::CpuSvn;

use super::certificate::Certificate;
use super::issuer_chain::{PckIssuer, Signer, check_pck_ca};
use super::role::Role;
use super::{CollateralError, PckCa, PlatformFeatures, SgxExtension, Validity};
use crate::TrustedRoots;

const WHAT: &str = "the PCK certificate";

/// What a PCK certificate says: which platform it is for, and at which TCB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PckCertificate {
    /// Platform provisioning id, 16 bytes: names the processor package.
    pub ppid: [u8; 16],
    /// CPUSVN that the PCK is derived for.
    pub cpu_svn: CpuSvn,
    /// The SVNs of the 16 TCB components that this CPUSVN stands for; TCB info speaks of these.
    pub tcb_components: [u8; 16],
    /// ISVSVN of the PCE that the PCK is derived for.
    pub pce_svn: u16,
    /// PCE id, 2 bytes, little-endian.
    pub pce_id: [u8; 2],
    /// FMSPC, 6 bytes: the kind of platform.
    pub fmspc: [u8; 6],
    /// What it says of the platform's configuration.
    pub features: PlatformFeatures,
    /// The CA that issued it.
    pub ca: PckCa,
    /// That CA's certificate.
    pub signer: Signer,
    /// `notBefore` and `notAfter`.
    pub validity: Validity,
    /// Serial number, big-endian, without leading zeros.
    pub serial: Vec<u8>,
}

/// Checks a PCK certificate. Whether it is revoked is for [`PckCrl`](crate::PckCrl) to say.
///
/// `certificate` is the PEM of one certificate, `issuer_chain` the PEM of its PCK CA and the root.
///
/// # Errors
/// [`CollateralError`] when it is not to be used at the time `now`.
pub fn check_pck_certificate(
    certificate: &[u8],
    issuer_chain: &str,
    roots: &TrustedRoots,
    now: SystemTime,
) -> Result<PckCertificate, CollateralError> {
    let [certificate] = Certificate::parse_pem(WHAT, certificate)?;
    PckCertificate::check(&certificate, &check_pck_ca(WHAT, issuer_chain, roots, now)?, now)
}

impl PckCertificate {
    pub(super) fn check(
        certificate: &Certificate,
        PckIssuer { ca, issuer }: &PckIssuer<'_>,
        now: SystemTime,
    ) -> Result<Self, CollateralError> {
        if !certificate.is_issued_by(&issuer.certificate) {
            let reason = format!("is not issued by the PCK {ca} CA of its issuer chain");
            return Err(CollateralError::wrongly_signed(WHAT, &reason));
        }
        Role::PckCertificate.check(WHAT, certificate, issuer.root)?;
        certificate.validity().check(WHAT, now)?;
        Self::read(certificate, *ca, issuer.signer())
    }

    fn read(certificate: &Certificate, ca: PckCa, signer: Signer) -> Result<Self, CollateralError> {
        let extension = SgxExtension::read(certificate.der())?;
        Ok(Self {
            ppid: extension.ppid,
            cpu_svn: extension.cpu_svn,
            tcb_components: extension.tcb_components,
            pce_svn: extension.pce_svn,
            pce_id: extension.pce_id,
            fmspc: extension.fmspc,
            features: extension.features,
            ca,
            signer,
            validity: certificate.validity(),
            serial: certificate.serial(),
        })
    }
}
