//! Certificate revocation lists: those of the PCK CAs and the root's.

use std::collections::BTreeSet;
use std::time::SystemTime;

use webpki::OwnedCertRevocationList;
use x509_cert::crl::CertificateList;
use x509_cert::der::Decode;
use x509_cert::name::Name;

use super::certificate::{Certificate, unsigned};
use super::issuer_chain::check_pck_ca;
use super::{CollateralError, PckCa, Validity};
use crate::TrustedRoots;
use crate::signatures::ecdsa_p256;

/// The CRL of a PCK CA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PckCrl {
    /// The CA that issued it.
    pub ca: PckCa,
    /// `thisUpdate` and `nextUpdate`.
    pub validity: Validity,
    revoked: BTreeSet<Vec<u8>>,
}

impl PckCrl {
    /// Whether the certificate with this serial number is revoked; big-endian, without leading
    /// zeros.
    #[must_use]
    pub fn revokes(&self, serial: &[u8]) -> bool {
        self.revoked.contains(serial)
    }
}

/// Checks the CRL of a PCK CA.
///
/// `crl` is DER, `issuer_chain` the PEM of the PCK CA and the root.
///
/// # Errors
/// [`CollateralError`] when it is not to be used at the time `now`.
pub fn check_pck_crl(
    crl: &[u8],
    issuer_chain: &str,
    roots: &TrustedRoots,
    now: SystemTime,
) -> Result<PckCrl, CollateralError> {
    const WHAT: &str = "the CRL of the PCK CA";
    let list = RevocationList::parse(WHAT, crl)?;
    let (ca, issuer) = check_pck_ca(WHAT, issuer_chain, roots, now)?;
    if !list.is_issued_by(&issuer) {
        let reason = format!("is not signed by the PCK {ca} CA of its issuer chain");
        return Err(CollateralError::wrongly_signed(WHAT, &reason));
    }
    list.validity.check(WHAT, now)?;
    Ok(PckCrl { ca, validity: list.validity, revoked: list.revoked })
}

/// Checks the CRL of the root (DER); gives its `thisUpdate` and `nextUpdate`.
///
/// # Errors
/// [`CollateralError`] when it is not to be used at the time `now`, or revokes the root itself.
pub fn check_root_ca_crl(
    crl: &[u8],
    roots: &TrustedRoots,
    now: SystemTime,
) -> Result<Validity, CollateralError> {
    const WHAT: &str = "the root's CRL";
    let list = RevocationList::parse(WHAT, crl)?;
    let mut roots =
        roots.iter().filter_map(|root| Certificate::parse(WHAT, root.der().into()).ok());
    let Some(root) = roots.find(|root| list.is_issued_by(root)) else {
        let reason = format!("of \"{}\" is not signed by a trusted root", list.issuer);
        return Err(CollateralError::wrongly_signed(WHAT, &reason));
    };
    list.validity.check(WHAT, now)?;
    if list.revoked.contains(&root.serial()) {
        let what = format!("the root \"{}\"", root.fields().subject());
        return Err(CollateralError::Revoked { what });
    }
    Ok(list.validity)
}

/// A CRL that can be read; nothing else about it is checked.
struct RevocationList<'a> {
    der: &'a [u8],
    issuer: Name,
    validity: Validity,
    /// Serial numbers.
    revoked: BTreeSet<Vec<u8>>,
}

impl<'a> RevocationList<'a> {
    fn parse(what: &str, der: &'a [u8]) -> Result<Self, CollateralError> {
        // This knows which extensions it must understand.
        OwnedCertRevocationList::from_der(der)
            .map_err(|error| CollateralError::unreadable(what, &error))?;
        let list: CertificateList = CertificateList::from_der(der)
            .map_err(|error| CollateralError::unreadable(what, &error))?;
        let fields = list.tbs_cert_list;
        let until = fields.next_update.map(|next_update| next_update.to_system_time());
        let entries = fields.revoked_certificates.unwrap_or_default().into_iter();
        Ok(Self {
            der,
            issuer: fields.issuer,
            validity: Validity {
                from: fields.this_update.to_system_time(),
                until: until
                    .ok_or_else(|| CollateralError::unreadable(what, "it does not expire"))?,
            },
            revoked: entries.map(|entry| unsigned(&entry.serial_number)).collect(),
        })
    }

    fn is_issued_by(&self, issuer: &Certificate) -> bool {
        self.issuer == *issuer.fields().subject()
            && issuer.may_sign_crls()
            && webpki::anchor_from_trusted_cert(issuer.der()).is_ok_and(|issuer| {
                let key = &issuer.subject_public_key_info;
                OwnedCertRevocationList::from_der_verified(self.der, key, &[ecdsa_p256()]).is_ok()
            })
    }
}
