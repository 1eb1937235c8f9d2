//! PCK certificates.

use std::time::SystemTime;

use dcap_qvl::intel::{PckExtension, parse_pck_extension};
use sgx::CpuSvn;
use x509_cert::der::asn1::ObjectIdentifier;

use super::certificate::Certificate;
use super::issuer_chain::{PckIssuer, Signer, check_pck_ca};
use super::role::Role;
use super::{CollateralError, PckCa, PlatformFeatures, Validity};
use crate::TrustedRoots;

const WHAT: &str = "the PCK certificate";

/// The entry of the SGX extension with the TCB; the 16 component SVNs are its entries 1 to 16.
const TCB: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113741.1.13.1.2");

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
        let extension = parse_pck_extension(certificate.der())
            .map_err(|error| unreadable(&format!("it has no SGX extension: {error:#}")))?;
        let missized = |_| unreadable("its SGX extension has a value of the wrong size");
        Ok(Self {
            tcb_components: tcb_components(&extension)?,
            features: PlatformFeatures {
                dynamic_platform: extension.dynamic_platform,
                cached_keys: extension.cached_keys,
                smt: extension.smt_enabled,
            },
            ppid: extension.ppid.try_into().map_err(missized)?,
            cpu_svn: CpuSvn(extension.cpu_svn),
            pce_svn: extension.pce_svn,
            pce_id: extension.pce_id.try_into().map_err(missized)?,
            fmspc: extension.fmspc,
            ca,
            signer,
            validity: certificate.validity(),
            serial: certificate.serial(),
        })
    }
}

fn tcb_components(extension: &PckExtension) -> Result<[u8; 16], CollateralError> {
    let mut components = [0; 16];
    for (number, component) in (1..).zip(&mut components) {
        *component = tcb_component(extension, number).ok_or_else(|| {
            unreadable(&format!("its SGX extension has no SVN of TCB component {number}"))
        })?;
    }
    Ok(components)
}

/// The SVN of a TCB component: an integer from 0 to 255, from 128 on with a zero byte before it.
fn tcb_component(extension: &PckExtension, number: u32) -> Option<u8> {
    let oid = TCB.push_arc(number).ok()?;
    match extension.get_value(&oid).ok()??[..] {
        [svn] | [0, svn] => Some(svn),
        _ => None,
    }
}

fn unreadable(reason: &(impl ToString + ?Sized)) -> CollateralError {
    CollateralError::unreadable(WHAT, reason)
}
