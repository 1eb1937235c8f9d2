//! Issuer chains in responses: the certificate of the issuer, then the root.
//!
//! These chains have a fixed shape, so no path is searched. webpki cannot check them, since it
//! accepts no CA as the end of a path, and the issuer of a CRL is one.

use std::sync::Arc;
use std::time::SystemTime;

use super::certificate::Certificate;
use super::role::Role;
use super::{CollateralDates, CollateralError, Now, PckCa, pem_chain};
use crate::{TrustedRoot, TrustedRoots};

/// The signer of an item of collateral.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// SHA-256 of the trusted root that its certificate leads to, as in [`TrustedRoot::sha256`].
    pub root: [u8; 32],
    /// Serial number of its certificate, big-endian, without leading zeros.
    pub serial: Vec<u8>,
    /// The dates of its certificate and the root's.
    pub(crate) dates: CollateralDates,
}

/// A certificate that a trusted root issued, both in date.
pub(super) struct Issuer<'r> {
    pub(super) certificate: Arc<Certificate>,
    pub(super) root: &'r TrustedRoot,
    /// Of this certificate and the root's.
    dates: CollateralDates,
}

/// A PCK CA.
pub(super) struct PckIssuer<'r> {
    pub(super) ca: PckCa,
    pub(super) issuer: Issuer<'r>,
}

/// Checks the issuer chain of PCK certificates and their CRL, and returns its PCK CA.
///
/// `issuer_chain` is the PEM of the PCK CA and the root.
///
/// # Errors
/// [`CollateralError`] when it is not valid at `now`.
pub fn check_pck_issuer_chain(
    issuer_chain: &str,
    roots: &TrustedRoots,
    now: SystemTime,
) -> Result<PckCa, CollateralError> {
    check_pck_ca("PCK certificates", issuer_chain, roots, Now::At(now)).map(|issuer| issuer.ca)
}

/// The CA that a PCK certificate (DER) says issued it, unverified.
///
/// # Errors
/// [`CollateralError`] when the certificate is unreadable or by no PCK CA.
pub fn claimed_pck_ca(certificate: &[u8]) -> Result<PckCa, CollateralError> {
    let what = "the PCK certificate";
    let certificate = Certificate::parse(what, certificate.to_vec())?;
    let issuer = certificate.issuer_common_name();
    let named = |ca: &PckCa| Role::PckCa(*ca).is_named(&issuer);
    PckCa::ALL.into_iter().find(named).ok_or_else(|| {
        CollateralError::unreadable(what, &format!("its issuer \"{issuer}\" is no PCK CA"))
    })
}

/// The PCK CA at the beginning of the chain, which issued `what`.
pub(super) fn check_pck_ca<'r>(
    what: &str,
    chain: &str,
    roots: &'r TrustedRoots,
    now: Now,
) -> Result<PckIssuer<'r>, CollateralError> {
    PckIssuer::new(what, check(what, chain, roots, now)?)
}

/// Checks the issuer chains of TCB info and enclave identities. Mostly they are the same, which is
/// then checked once.
pub(crate) struct TcbSigners<'r> {
    roots: &'r TrustedRoots,
    pub(super) now: Now,
    last: Option<(String, Issuer<'r>)>,
}

impl<'r> TcbSigners<'r> {
    pub(crate) fn new(roots: &'r TrustedRoots, now: Now) -> Self {
        Self { roots, now, last: None }
    }

    /// The TCB signing certificate at the beginning of the chain.
    pub(super) fn of(&mut self, what: &str, chain: &str) -> Result<&Issuer<'r>, CollateralError> {
        let (_, issuer) = match self.last.take().filter(|(checked, _)| checked == chain) {
            Some(same) => self.last.insert(same),
            None => {
                let issuer = check(what, chain, self.roots, self.now)?;
                Role::TcbSigning.check(what, &issuer.certificate, issuer.root)?;
                self.last.insert((chain.to_owned(), issuer))
            }
        };
        Ok(issuer)
    }
}

/// The first certificate of the chain, whose second one is a trusted root.
fn check<'r>(
    what: &str,
    chain: &str,
    roots: &'r TrustedRoots,
    now: Now,
) -> Result<Issuer<'r>, CollateralError> {
    let what = &format!("the issuer chain of {what}");
    let [issuer, root] = pem_chain::parse(what, chain.as_bytes())?;
    match roots.iter().find(|trusted| trusted.der() == root) {
        Some(trusted) => {
            Issuer::check(what, Certificate::parse(what, issuer)?.into(), trusted, now)
        }
        None => Err(match Certificate::parse(what, root)? {
            root if root.is_self_issued() => root.untrusted(what),
            _ => CollateralError::wrongly_signed(what, "does not end at a root"),
        }),
    }
}

impl<'r> Issuer<'r> {
    /// Checks that this root issued the certificate, and that both are in date.
    pub(super) fn check(
        what: &str,
        certificate: Arc<Certificate>,
        trusted: &'r TrustedRoot,
        now: Now,
    ) -> Result<Self, CollateralError> {
        let root = trusted.certificate();
        if !certificate.is_issued_by(root) {
            let reason = "has an issuer that the root did not certify";
            return Err(CollateralError::wrongly_signed(what, reason));
        }
        root.validity().check(what, now)?;
        certificate.validity().check(what, now)?;
        let dates = CollateralDates::from(root.validity()).with(certificate.validity());
        Ok(Self { certificate, root: trusted, dates })
    }

    pub(super) fn signer(&self) -> Signer {
        let (root, serial) = (self.root.sha256, self.certificate.serial());
        Signer { root, serial, dates: self.dates }
    }
}

impl<'r> PckIssuer<'r> {
    pub(super) fn new(what: &str, issuer: Issuer<'r>) -> Result<Self, CollateralError> {
        let named = |ca: &PckCa| Role::PckCa(*ca).matches(&issuer.certificate, issuer.root);
        match PckCa::ALL.into_iter().find(named) {
            Some(ca) => Ok(Self { ca, issuer }),
            None => {
                let found = issuer.certificate.fields().subject();
                let reason = format!("is by \"{found}\", not by a PCK CA");
                Err(CollateralError::wrongly_signed(what, &reason))
            }
        }
    }
}
