//! The check of the collateral of one verification: CRLs, TCB info and QE identity.

use sgx::Collateral;

use crate::collateral::{CertifiedPck, Now, RevocationList, SignedJson, TcbSigners};
use crate::failure::{At, Failure, Problem};
use crate::{
    ClaimedRoot, CollateralDates, CollateralError, EnclaveId, EnclaveIdentity, Signer, Step,
    TcbInfo, Tee, TrustedRoot, TrustedRoots, VerdictCode,
};

/// Collateral that is signed under one root, by signers that are not revoked.
#[derive(Debug)]
pub(crate) struct CheckedCollateral {
    pub(crate) root_crl: RevocationList,
    pub(crate) tcb_info: TcbInfo,
    pub(crate) qe_identity: EnclaveIdentity,
    /// The signature is left to [`CertifiedPck::check`].
    pub(crate) pck_crl: RevocationList,
    /// The dates of all these and their issuer chains.
    pub(crate) dates: CollateralDates,
}

impl CheckedCollateral {
    /// Checks everything that a verification needs besides the PCK certificate chain. It must be
    /// for quotes of this kind of TEE.
    pub(crate) fn check(
        collateral: &Collateral,
        tee: Tee,
        root: &TrustedRoot,
        now: Now,
    ) -> Result<Self, Failure> {
        let roots = &TrustedRoots::only(root);
        let root_crl = root_crl(collateral, root, roots, now).at(Step::RootCrl)?;
        let signers = &mut TcbSigners::new(roots, now);
        let tcb_info = tcb_info(tee, collateral, signers, &root_crl).at(Step::TcbInfo)?;
        let qe_identity = qe_identity(tee, collateral, signers, &root_crl).at(Step::QeIdentity)?;
        let pck_crl = RevocationList::of_pck_ca(&collateral.pck_crl).at(Step::PckCertificate)?;
        let dates = CollateralDates::from(root_crl.validity)
            .with(tcb_info.validity)
            .with(tcb_info.signer.dates)
            .with(qe_identity.validity)
            .with(qe_identity.signer.dates)
            .with(pck_crl.validity);
        Ok(Self { root_crl, tcb_info, qe_identity, pck_crl, dates })
    }

    /// Refuses a PCK certificate that is revoked, or whose CA is.
    pub(crate) fn check_revocation(&self, pck: &CertifiedPck) -> Result<(), CollateralError> {
        let certificate = &pck.certificate;
        refuse_revoked("the PCK CA", self.root_crl.revokes(&certificate.signer.serial))?;
        refuse_revoked("the PCK certificate", self.pck_crl.revokes(&certificate.serial))
    }
}

fn root_crl(
    collateral: &Collateral,
    root: &TrustedRoot,
    roots: &TrustedRoots,
    now: Now,
) -> Result<RevocationList, Problem> {
    RevocationList::of_root(&collateral.root_ca_crl, roots, now)
        .map(|(list, _)| list)
        .or_else(|error| check_same_root(root, collateral).and(Err(error.into())))
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
    tee: Tee,
    collateral: &Collateral,
    signers: &mut TcbSigners<'_>,
    root_crl: &RevocationList,
) -> Result<TcbInfo, Problem> {
    let json = SignedJson {
        what: "the TCB info",
        json: &collateral.tcb_info,
        signature: &collateral.tcb_info_signature,
    };
    let info = json.check_tcb_info(&collateral.tcb_info_issuer_chain, signers)?;
    signer_revocation(json.what, &info.signer, root_crl)?;
    match info.tee {
        found if found == tee => Ok(info),
        found => Err(Problem::new(
            VerdictCode::MismatchedCollateral,
            format!("the TCB info is of {found}, not {tee}"),
        )),
    }
}

/// The identity of the Quoting Enclave.
fn qe_identity(
    tee: Tee,
    collateral: &Collateral,
    signers: &mut TcbSigners<'_>,
    root_crl: &RevocationList,
) -> Result<EnclaveIdentity, Problem> {
    let json = SignedJson {
        what: "the QE identity",
        json: &collateral.qe_identity,
        signature: &collateral.qe_identity_signature,
    };
    let chain = &collateral.qe_identity_issuer_chain;
    let identity = json.check_enclave_identity(chain, signers)?;
    signer_revocation(json.what, &identity.signer, root_crl)?;
    let qe = match tee {
        Tee::Sgx => EnclaveId::Qe,
        Tee::Tdx => EnclaveId::TdQe,
    };
    match identity.id {
        id if id == qe => Ok(identity),
        id => Err(Problem::new(
            VerdictCode::MismatchedCollateral,
            format!("the QE identity is of \"{id}\"; this quote needs that of \"{qe}\""),
        )),
    }
}

fn signer_revocation(
    what: &str,
    signer: &Signer,
    root_crl: &RevocationList,
) -> Result<(), CollateralError> {
    refuse_revoked(&format!("the signer of {what}"), root_crl.revokes(&signer.serial))
}

fn refuse_revoked(what: &str, is_revoked: bool) -> Result<(), CollateralError> {
    match is_revoked {
        true => Err(CollateralError::Revoked { what: what.to_owned() }),
        false => Ok(()),
    }
}
