//! Certificate chains under one root, with revocation.

use std::time::{SystemTime, UNIX_EPOCH};

use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use sgx::Collateral;
use webpki::{
    CertRevocationList, EndEntityCert, Error, ExpirationPolicy, KeyUsage, OwnedCertRevocationList,
    RevocationOptions, RevocationOptionsBuilder, UnknownStatusPolicy,
};

use crate::failure::Problem;
use crate::signatures::ecdsa_p256;

/// How many certificates may follow the first one of a chain, as dcap-qvl has it: the search for a
/// path costs time.
pub(crate) const MAX_ISSUERS: usize = 4;

/// The root, the revocation lists of the collateral, and the time.
pub(crate) struct Authority<'a> {
    anchor: TrustAnchor<'a>,
    crls: [CertRevocationList<'static>; 2],
    now: UnixTime,
}

impl<'a> Authority<'a> {
    /// Checks that the root signed its revocation list and is not on it.
    pub(crate) fn new(
        root: &'a CertificateDer<'a>,
        collateral: &Collateral,
        now: SystemTime,
    ) -> Result<Self, Problem> {
        let anchor = webpki::anchor_from_trusted_cert(root)
            .map_err(|error| problem("the trusted root", &error))?;
        let pck_crl = crl("PCK revocation list", &collateral.pck_crl)?;
        crl("root's revocation list", &collateral.root_ca_crl)?;
        let root_crl = OwnedCertRevocationList::from_der_verified(
            &collateral.root_ca_crl,
            &anchor.subject_public_key_info,
            &[ecdsa_p256()],
        )
        .map_err(|_| {
            let reason = "the root's revocation list is not signed by the trusted root; \
                          the collateral is of another root, or was changed";
            Problem::Refused(reason.to_owned())
        })?;
        let crls = [root_crl.into(), pck_crl.into()];
        let now = UnixTime::since_unix_epoch(now.duration_since(UNIX_EPOCH).unwrap_or_default());
        webpki::check_single_cert_revocation(root, &crls.each_ref(), &[ecdsa_p256()], now)
            .map_err(|error| problem("the trusted root", &error))?;
        Ok(Self { anchor, crls, now })
    }

    /// The first certificate of a PEM chain, called `what` in the error, if the chain leads to the
    /// root by way of `intermediates` certificates.
    pub(crate) fn leaf(
        &self,
        what: &str,
        pem: &[u8],
        intermediates: usize,
    ) -> Result<CertificateDer<'static>, Problem> {
        let chain = certificates(what, pem)?;
        let Some((leaf, others)) = chain.split_first() else {
            return Err(Problem::Undecided(format!("{what}: there is no certificate")));
        };
        if others.len() > MAX_ISSUERS {
            return Err(Problem::Refused(format!("{what}: the chain is too long")));
        }
        let certificate = EndEntityCert::try_from(leaf)
            .map_err(|error| Problem::Undecided(format!("{what} cannot be read: {error}")))?;
        let path = certificate
            .verify_for_usage(
                &[ecdsa_p256()],
                std::slice::from_ref(&self.anchor),
                others,
                self.now,
                KeyUsage::server_auth(),
                Some(self.revocation(&self.crls.each_ref())?),
                None,
            )
            .map_err(|error| problem(what, &error))?;
        match path.intermediate_certificates().count() {
            count if count <= intermediates => Ok(leaf.clone()),
            _ => Err(Problem::Refused(format!("{what} is not issued by the right authority"))),
        }
    }

    fn revocation<'c>(
        &self,
        crls: &'c [&'c CertRevocationList<'c>],
    ) -> Result<RevocationOptions<'c>, Problem> {
        let options = RevocationOptionsBuilder::new(crls)
            .map_err(|_| Problem::Undecided("there is no revocation list".to_owned()))?;
        Ok(options
            .with_status_policy(UnknownStatusPolicy::Deny)
            .with_expiration_policy(ExpirationPolicy::Enforce)
            .build())
    }
}

fn crl(what: &str, der: &[u8]) -> Result<OwnedCertRevocationList, Problem> {
    OwnedCertRevocationList::from_der(der)
        .map_err(|error| Problem::Undecided(format!("the {what} cannot be read: {error}")))
}

fn certificates(what: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let sections = pem::parse_many(pem)
        .map_err(|error| Problem::Undecided(format!("{what} cannot be read: {error}")))?;
    Ok(sections.into_iter().map(|section| section.into_contents().into()).collect())
}

fn problem(what: &str, error: &Error) -> Problem {
    match error {
        Error::CertExpired { .. } => Problem::Undecided(format!("{what}: a certificate expired")),
        Error::CertNotValidYet { .. } => {
            Problem::Undecided(format!("{what}: a certificate is not yet valid"))
        }
        Error::CrlExpired { .. } => Problem::Undecided(format!(
            "{what}: a revocation list expired; fetch the collateral again"
        )),
        Error::UnknownRevocationStatus => Problem::Undecided(format!(
            "{what}: no revocation list is by its issuer; fetch this platform's collateral"
        )),
        Error::CertRevoked => Problem::Refused(format!("{what}: a certificate is revoked")),
        Error::UnknownIssuer => {
            Problem::Refused(format!("{what} does not lead to the trusted root"))
        }
        other => Problem::Refused(format!("{what} does not hold: {other}")),
    }
}
