//! The certificates that come with an answer: its issuer's, then the root's.
//!
//! The shape of these chains is fixed, so there is no path to search for. The library that checks
//! the certificates of quotes takes no CA as the end of a path, and the issuer of a CRL is one.

use std::time::SystemTime;

use dcap_qvl::config::{Config, CryptoProvider};
use dcap_qvl::configs::DefaultConfig;

use super::certificate::Certificate;
use super::{CollateralError, PckCa};
use crate::TrustedRoots;

/// The certificate of the PCK CA which issued `what`, in the first place of the chain.
pub(super) fn check_pck_ca(
    what: &str,
    chain: &str,
    roots: &TrustedRoots,
    now: SystemTime,
) -> Result<(PckCa, Certificate), CollateralError> {
    let issuer = check(what, chain, roots, now)?;
    let ca = PckCa::named(&issuer.common_name());
    let ca = ca.ok_or_else(|| wrong_issuer(what, &issuer, "a PCK CA"))?;
    Ok((ca, issuer))
}

/// The certificate which signs what is published, in the first place of the chain.
pub(super) fn check_tcb_signing(
    what: &str,
    chain: &str,
    roots: &TrustedRoots,
    now: SystemTime,
) -> Result<Certificate, CollateralError> {
    let issuer = check(what, chain, roots, now)?;
    if issuer.common_name().ends_with("SGX TCB Signing") {
        return Ok(issuer);
    }
    Err(wrong_issuer(what, &issuer, "the TCB signer"))
}

/// The first certificate of the chain, if a trusted root issued it, and both are in date.
fn check(
    what: &str,
    chain: &str,
    roots: &TrustedRoots,
    now: SystemTime,
) -> Result<Certificate, CollateralError> {
    let what = &format!("the issuer chain of {what}");
    let [issuer, root] = Certificate::parse_pem(what, chain.as_bytes())?;
    if !roots.iter().any(|trusted| trusted.der() == root.der().as_ref()) {
        return Err(CollateralError::UntrustedRoot { what: what.clone(), root: name(&root) });
    }
    if !issuer.is_issued_by(&root) {
        let reason = "has a first certificate that its second one, the root, did not issue";
        return Err(CollateralError::wrongly_signed(what, reason));
    }
    root.validity().check(what, now)?;
    issuer.validity().check(what, now)?;
    Ok(issuer)
}

fn name(root: &Certificate) -> String {
    let sha256 = <DefaultConfig as Config>::Crypto::sha256(root.der());
    format!("{}, SHA-256 {}", root.fields().subject(), hex::encode(sha256))
}

fn wrong_issuer(what: &str, issuer: &Certificate, wanted: &str) -> CollateralError {
    let found = issuer.fields().subject();
    CollateralError::wrongly_signed(what, &format!("is by \"{found}\", not by {wanted}"))
}
