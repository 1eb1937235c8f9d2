//! Certificate revocation lists: those of the PCK CAs and the root's.

use std::collections::BTreeSet;
use std::time::SystemTime;

use webpki::OwnedCertRevocationList;
use x509_cert::crl::{CertificateList, TbsCertList};
use x509_cert::der::Decode;
use x509_cert::der::oid::AssociatedOid;
use x509_cert::ext::pkix::CrlNumber;
use x509_cert::name::Name;

use super::certificate::{Certificate, unsigned};
use super::issuer_chain::{PckIssuer, Signer, check_pck_ca};
use super::{CollateralError, PckCa, Validity};
use crate::TrustedRoots;
use crate::signatures::ecdsa_p256;

const PCK_CRL: &str = "the CRL of the PCK CA";

/// The CRL of a PCK CA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PckCrl {
    /// The CA that issued it.
    pub ca: PckCa,
    /// CRL number, which increases with each CRL of a CA.
    pub number: u64,
    /// `thisUpdate` and `nextUpdate`.
    pub validity: Validity,
    /// The PCK CA.
    pub signer: Signer,
    revoked: BTreeSet<Vec<u8>>,
}

/// The CRL of a root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootCaCrl {
    /// CRL number, which increases with each CRL of a root.
    pub number: u64,
    /// `thisUpdate` and `nextUpdate`.
    pub validity: Validity,
    /// SHA-256 of the root, as in [`TrustedRoot::sha256`](crate::TrustedRoot::sha256).
    pub root: [u8; 32],
    revoked: BTreeSet<Vec<u8>>,
}

impl PckCrl {
    /// True if this serial number (big-endian, without leading zeros) is revoked.
    #[must_use]
    pub fn revokes(&self, serial: &[u8]) -> bool {
        self.revoked.contains(serial)
    }

    pub(super) fn check(
        crl: &[u8],
        PckIssuer { ca, issuer }: &PckIssuer<'_>,
        now: SystemTime,
    ) -> Result<Self, CollateralError> {
        let list = RevocationList::parse(PCK_CRL, crl)?;
        let name = issuer.certificate.fields().subject();
        if list.issuer != *name {
            let reason = format!("it is of \"{}\", not of \"{name}\"", list.issuer);
            return Err(CollateralError::unreadable(PCK_CRL, &reason));
        }
        if !list.is_issued_by(&issuer.certificate) {
            let reason = format!("is not signed by the PCK {ca} CA of its issuer chain");
            return Err(CollateralError::wrongly_signed(PCK_CRL, &reason));
        }
        let RevocationList { number, validity, revoked, .. } = list;
        check_dates(PCK_CRL, validity, now)?;
        Ok(Self { ca: *ca, number, validity, signer: issuer.signer(), revoked })
    }
}

impl RootCaCrl {
    /// True if this serial number (big-endian, without leading zeros) is revoked.
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
/// [`CollateralError`] when it is not valid at `now`.
pub fn check_pck_crl(
    crl: &[u8],
    issuer_chain: &str,
    roots: &TrustedRoots,
    now: SystemTime,
) -> Result<PckCrl, CollateralError> {
    PckCrl::check(crl, &check_pck_ca(PCK_CRL, issuer_chain, roots, now)?, now)
}

/// Checks the CRL of the root (DER), and the root itself.
///
/// # Errors
/// [`CollateralError`] when one of them is not valid at `now`, or the root is revoked.
pub fn check_root_ca_crl(
    crl: &[u8],
    roots: &TrustedRoots,
    now: SystemTime,
) -> Result<RootCaCrl, CollateralError> {
    const WHAT: &str = "the root's CRL";
    let list = RevocationList::parse(WHAT, crl)?;
    let mut roots = roots.iter().filter_map(|trusted| {
        Some((trusted, Certificate::parse(WHAT, trusted.der().into()).ok()?))
    });
    let Some((trusted, root)) = roots.find(|(_, root)| list.is_issued_by(root)) else {
        let reason = format!("of \"{}\" is not signed by a trusted root", list.issuer);
        return Err(CollateralError::wrongly_signed(WHAT, &reason));
    };
    let what = || format!("the root \"{}\"", root.fields().subject());
    root.validity().check(&what(), now)?;
    check_dates(WHAT, list.validity, now)?;
    if list.revoked.contains(&root.serial()) {
        return Err(CollateralError::Revoked { what: what() });
    }
    let RevocationList { number, validity, revoked, .. } = list;
    Ok(RootCaCrl { number, validity, root: trusted.sha256, revoked })
}

/// A parsed CRL, otherwise unchecked.
struct RevocationList<'a> {
    der: &'a [u8],
    issuer: Name,
    number: u64,
    validity: Validity,
    /// Serial numbers.
    revoked: BTreeSet<Vec<u8>>,
}

impl<'a> RevocationList<'a> {
    fn parse(what: &str, der: &'a [u8]) -> Result<Self, CollateralError> {
        // Refuses unknown critical extensions.
        let damaged = || {
            let reason = "it is not a CRL of X.509 version 2, is damaged, or has an unsupported \
                          critical extension";
            CollateralError::unreadable(what, reason)
        };
        OwnedCertRevocationList::from_der(der).map_err(|_| damaged())?;
        let list: CertificateList = CertificateList::from_der(der).map_err(|_| damaged())?;
        let fields = list.tbs_cert_list;
        let number = crl_number(&fields)
            .ok_or_else(|| CollateralError::unreadable(what, "it has no CRL number of 64 bits"))?;
        let until = fields.next_update.map(|next_update| next_update.to_system_time());
        let entries = fields.revoked_certificates.unwrap_or_default().into_iter();
        Ok(Self {
            der,
            issuer: fields.issuer,
            number,
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

/// A CRL has expired at its `nextUpdate`, as in webpki.
fn check_dates(what: &str, validity: Validity, now: SystemTime) -> Result<(), CollateralError> {
    validity.check(what, now)?;
    match validity.until {
        until if until == now => Err(CollateralError::Expired { what: what.to_owned(), until }),
        _ => Ok(()),
    }
}

/// The CRL number, at most 64 bits: Intel's are small.
fn crl_number(list: &TbsCertList) -> Option<u64> {
    let mut extensions = list.crl_extensions.iter().flatten();
    let extension = extensions.find(|extension| extension.extn_id == CrlNumber::OID)?;
    let number = CrlNumber::from_der(extension.extn_value.as_bytes()).ok()?;
    let bytes = number.0.as_bytes();
    (bytes.len() <= size_of::<u64>())
        .then(|| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}
