//! Certificate revocation lists: those of the PCK CAs and the root's.

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::time::SystemTime;

use webpki::OwnedCertRevocationList;
use x509_cert::crl::{CertificateList, TbsCertList};
use x509_cert::der::Decode;
use x509_cert::der::oid::AssociatedOid;
use x509_cert::ext::pkix::CrlNumber;
use x509_cert::name::Name;

use super::certificate::{AuthorityId, Certificate, is_ecdsa_with_sha256, unsigned};
use super::issuer_chain::{PckIssuer, Signer, check_pck_ca};
use super::{CollateralError, Now, PCK_CRL, PckCa, ROOT_CA_CRL, Validity};
use crate::{TrustedRoot, TrustedRoots};

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
}

impl PckCrl {
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
    let now = Now::At(now);
    let issuer = check_pck_ca(PCK_CRL, issuer_chain, roots, now)?;
    let list = RevocationList::of_pck_ca(crl)?;
    list.check_issued_by(&issuer)?;
    list.check_dates(now)?;
    let RevocationList { number, validity, revoked, .. } = list;
    Ok(PckCrl { ca: issuer.ca, number, validity, signer: issuer.issuer.signer(), revoked })
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
    let (list, root) = RevocationList::of_root(crl, roots, Now::At(now))?;
    Ok(RootCaCrl { number: list.number, validity: list.validity, root: root.sha256 })
}

/// A CRL.
#[derive(Debug)]
pub(crate) struct RevocationList {
    what: &'static str,
    der: Vec<u8>,
    issuer: Name,
    /// By ECDSA with SHA-256; `None` if the signature is by another algorithm.
    signature: Option<Vec<u8>>,
    /// CRL number.
    pub(crate) number: u64,
    /// `thisUpdate` and `nextUpdate`.
    pub(crate) validity: Validity,
    /// Serial numbers, big-endian, without leading zeros.
    revoked: BTreeSet<Vec<u8>>,
    /// The first authority that the signature was checked for.
    signer: OnceLock<AuthorityId>,
}

impl RevocationList {
    /// Reads the CRL of a PCK CA, and checks nothing else.
    pub(crate) fn of_pck_ca(der: &[u8]) -> Result<Self, CollateralError> {
        Self::parse(PCK_CRL, der)
    }

    /// Checks the CRL of one of these roots, and that root.
    pub(crate) fn of_root<'r>(
        der: &[u8],
        roots: &'r TrustedRoots,
        now: Now,
    ) -> Result<(Self, &'r TrustedRoot), CollateralError> {
        let list = Self::parse(ROOT_CA_CRL, der)?;
        let mut roots = roots.iter();
        let Some(trusted) = roots.find(|root| list.is_issued_by(root.certificate())) else {
            let reason = format!("of \"{}\" is not signed by a trusted root", list.issuer);
            return Err(CollateralError::wrongly_signed(list.what, &reason));
        };
        let root = trusted.certificate();
        let what = || format!("the root \"{}\"", trusted.subject);
        root.validity().check(&what(), now)?;
        list.check_dates(now)?;
        if list.revokes(&root.serial()) {
            return Err(CollateralError::Revoked { what: what() });
        }
        Ok((list, trusted))
    }

    fn parse(what: &'static str, der: &[u8]) -> Result<Self, CollateralError> {
        // Refuses unknown critical extensions.
        let damaged = || {
            let reason = "it is not a CRL of X.509 version 2, is damaged, or has an unsupported \
                          critical extension";
            CollateralError::unreadable(what, reason)
        };
        OwnedCertRevocationList::from_der(der).map_err(|_| damaged())?;
        let list: CertificateList = CertificateList::from_der(der).map_err(|_| damaged())?;
        let signature = is_ecdsa_with_sha256(&list.signature_algorithm)
            .then(|| list.signature.as_bytes().map(<[u8]>::to_vec))
            .flatten();
        let fields = list.tbs_cert_list;
        let number = crl_number(&fields)
            .ok_or_else(|| CollateralError::unreadable(what, "it has no CRL number of 64 bits"))?;
        let until = fields.next_update.map(|next_update| next_update.to_system_time());
        let entries = fields.revoked_certificates.unwrap_or_default().into_iter();
        Ok(Self {
            what,
            der: der.to_vec(),
            issuer: fields.issuer,
            signature,
            number,
            validity: Validity {
                from: fields.this_update.to_system_time(),
                until: until
                    .ok_or_else(|| CollateralError::unreadable(what, "it does not expire"))?,
            },
            revoked: entries.map(|entry| unsigned(&entry.serial_number)).collect(),
            signer: OnceLock::new(),
        })
    }

    /// True if this serial number (big-endian, without leading zeros) is revoked.
    pub(crate) fn revokes(&self, serial: &[u8]) -> bool {
        self.revoked.contains(serial)
    }

    /// True if the signature was checked, and is by this authority.
    pub(crate) fn is_by(&self, authority: &AuthorityId) -> bool {
        self.signer.get() == Some(authority)
    }

    /// Checks that this PCK CA issued it.
    pub(super) fn check_issued_by(&self, ca: &PckIssuer<'_>) -> Result<(), CollateralError> {
        let PckIssuer { ca, issuer } = ca;
        let name = issuer.certificate.fields().subject();
        if self.issuer != *name {
            let reason = format!("it is of \"{}\", not of \"{name}\"", self.issuer);
            return Err(CollateralError::unreadable(self.what, &reason));
        }
        if !self.is_issued_by(&issuer.certificate) {
            let reason = format!("is not signed by the PCK {ca} CA of its issuer chain");
            return Err(CollateralError::wrongly_signed(self.what, &reason));
        }
        Ok(())
    }

    fn is_issued_by(&self, issuer: &Certificate) -> bool {
        self.issuer == *issuer.fields().subject() && issuer.may_sign_crls() && {
            let authority = issuer.authority_id();
            self.is_by(&authority)
                || issuer.signed(&self.der, self.signature.as_deref()) && {
                    // Another thread may have been first.
                    self.signer.get_or_init(|| authority);
                    true
                }
        }
    }

    /// Checks the dates. It has expired at its `nextUpdate`, as in webpki.
    pub(crate) fn check_dates(&self, now: Now) -> Result<(), CollateralError> {
        let Self { what, validity: Validity { until, .. }, .. } = self;
        self.validity.check(what, now)?;
        match now {
            Now::At(now) if now == *until => {
                Err(CollateralError::Expired { what: (*what).to_owned(), until: *until })
            }
            _ => Ok(()),
        }
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
