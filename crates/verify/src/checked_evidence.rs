//! The check of certificates, CRLs, TCB info and QE identity of one verification.
//!
//! It comes before dcap-qvl, which is more lenient than Intel's verifier about names, the root's
//! own dates, CRLs from the future and the form of TCB info.

use std::time::SystemTime;

use dcap_qvl::QeIdentity;
use rustls_pki_types::CertificateDer;
use sgx::{Collateral, Quote};

use crate::collateral::embedded_chain;
use crate::collateral::{PckChain, SignedJson};
use crate::failure::{At, Failure, Problem};
use crate::{
    ClaimedRoot, CollateralError, EnclaveId, PckCertificate, RootCaCrl, Signer, Step, TcbInfo,
    TrustedRoot, TrustedRoots, VerdictCode, check_root_ca_crl,
};

/// Evidence that is valid under one root at one time, and not revoked.
pub(crate) struct CheckedEvidence {
    pub(crate) tcb_info: TcbInfo,
    pub(crate) qe_identity: QeIdentity,
    pub(crate) pck: PckCertificate,
    /// The PCK certificate.
    pub(crate) pck_der: CertificateDer<'static>,
}

impl CheckedEvidence {
    /// Checks everything that a verification of `quote` needs.
    pub(crate) fn check(
        quote: &Quote,
        collateral: &Collateral,
        root: &TrustedRoot,
        now: SystemTime,
    ) -> Result<Self, Failure> {
        let roots = &TrustedRoots::only(root);
        check_same_root(root, collateral).at(Step::RootCrl)?;
        let root_crl = &check_root_ca_crl(&collateral.root_ca_crl, roots, now).at(Step::RootCrl)?;
        let tcb_info = tcb_info(collateral, roots, root_crl, now).at(Step::TcbInfo)?;
        let qe = if quote.body.td().is_some() { EnclaveId::TdQe } else { EnclaveId::Qe };
        let qe_identity = qe_identity(qe, collateral, roots, root_crl, now).at(Step::QeIdentity)?;
        let chain = pck_chain(quote, collateral, root, now).at(Step::PckCertificate)?;
        pck_revocation(&chain, collateral, root_crl, now).at(Step::PckCertificate)?;
        Ok(Self { tcb_info, qe_identity, pck: chain.pck, pck_der: chain.der })
    }
}

/// Refuses collateral of which every readable issuer chain ends at another root. A single foreign
/// chain is left to the check of its own item.
fn check_same_root(root: &TrustedRoot, collateral: &Collateral) -> Result<(), Problem> {
    let chains = [
        ("the PCK CRL", &collateral.pck_crl_issuer_chain),
        ("the TCB info", &collateral.tcb_info_issuer_chain),
        ("the QE identity", &collateral.qe_identity_issuer_chain),
    ];
    let claimed = chains.map(|(what, chain)| ClaimedRoot::of_issuer_chain(what, chain).ok());
    match claimed.iter().flatten().next() {
        Some(other) if claimed.iter().flatten().all(|claimed| !claimed.is(root)) => {
            let (own, sha256) = (&root.subject, hex::encode(root.sha256));
            Err(Problem::new(
                VerdictCode::ForeignCollateral,
                format!(
                    "the quote leads to the root \"{own}\", SHA-256 {sha256}, and the collateral \
                     to {other}"
                ),
            ))
        }
        _ => Ok(()),
    }
}

fn tcb_info(
    collateral: &Collateral,
    roots: &TrustedRoots,
    root_crl: &RootCaCrl,
    now: SystemTime,
) -> Result<TcbInfo, Problem> {
    let json = SignedJson {
        what: "the TCB info",
        json: &collateral.tcb_info,
        signature: &collateral.tcb_info_signature,
    };
    let info = json.check_tcb_info(&collateral.tcb_info_issuer_chain, roots, now)?;
    signer_revocation(json.what, &info.signer, root_crl)?;
    Ok(info)
}

/// The identity of the Quoting Enclave `qe`.
fn qe_identity(
    qe: EnclaveId,
    collateral: &Collateral,
    roots: &TrustedRoots,
    root_crl: &RootCaCrl,
    now: SystemTime,
) -> Result<QeIdentity, Problem> {
    let json = SignedJson {
        what: "the QE identity",
        json: &collateral.qe_identity,
        signature: &collateral.qe_identity_signature,
    };
    let chain = &collateral.qe_identity_issuer_chain;
    let (identity, contents) = json.check_enclave_identity(chain, roots, now)?;
    signer_revocation(json.what, &identity.signer, root_crl)?;
    match identity.id {
        id if id == qe => Ok(contents),
        id => Err(Problem::new(
            VerdictCode::MismatchedCollateral,
            format!("the QE identity is of \"{id}\"; this quote needs that of \"{qe}\""),
        )),
    }
}

fn signer_revocation(
    what: &str,
    signer: &Signer,
    root_crl: &RootCaCrl,
) -> Result<(), CollateralError> {
    refuse_revoked(&format!("the signer of {what}"), root_crl.revokes(&signer.serial))
}

/// The chain in the collateral, else the one in the quote.
fn pck_chain<'r>(
    quote: &Quote,
    collateral: &Collateral,
    root: &'r TrustedRoot,
    now: SystemTime,
) -> Result<PckChain<'r>, Problem> {
    let pem = match &collateral.pck_certificate_chain {
        Some(chain) => chain.as_bytes(),
        None => embedded_chain(quote).ok_or_else(|| no_pck_certificate(quote))?,
    };
    Ok(PckChain::check(pem, root, now)?)
}

/// The problem that neither quote nor collateral has a PCK certificate.
pub(crate) fn no_pck_certificate(quote: &Quote) -> Problem {
    let carried = quote.signature.certification_data.data_type;
    let reason = format!(
        "there is no PCK certificate: the quote has certification data of type {carried}, and the \
         collateral has no pck_certificate_chain"
    );
    Problem::new(VerdictCode::NoPckCertificate, reason)
}

fn pck_revocation(
    chain: &PckChain<'_>,
    collateral: &Collateral,
    root_crl: &RootCaCrl,
    now: SystemTime,
) -> Result<(), CollateralError> {
    let crl = chain.check_crl(&collateral.pck_crl, now)?;
    refuse_revoked("the PCK CA", root_crl.revokes(&crl.signer.serial))?;
    refuse_revoked("the PCK certificate", crl.revokes(&chain.pck.serial))
}

fn refuse_revoked(what: &str, is_revoked: bool) -> Result<(), CollateralError> {
    match is_revoked {
        true => Err(CollateralError::Revoked { what: what.to_owned() }),
        false => Ok(()),
    }
}
