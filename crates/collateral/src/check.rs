//! An answer is checked before it is kept.

use std::time::SystemTime;

use verify::{CollateralError, TrustedRoots, Validity};

use crate::{CollateralId, Document, Revision, TcbUpdate};

/// An answer that is not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// Its certificates, its signature, its dates or its form are wrong.
    #[error(transparent)]
    Collateral(#[from] CollateralError),
    /// It is the answer to another question.
    #[error("it is of another {what}: asked for {asked}, got {got}")]
    Another {
        /// What differs.
        what: &'static str,
        /// What was asked for.
        asked: String,
        /// What came.
        got: String,
    },
    /// It is older than what has been kept before.
    #[error(
        "it is older ({got}) than what was kept before ({newest}); ask a source that is up to date"
    )]
    Older {
        /// How new it is.
        got: Revision,
        /// How new what was kept before is.
        newest: Revision,
    },
}

impl CheckError {
    /// Tells if the document is of another TCB evaluation than was asked for.
    #[must_use]
    pub fn is_other_evaluation(&self) -> bool {
        matches!(self, Self::Another { what: EVALUATION, .. })
    }
}

/// The name of a TCB evaluation in errors.
const EVALUATION: &str = "TCB evaluation";

/// What a document says of itself that holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Checked {
    /// From when to when it is valid.
    pub(crate) validity: Validity,
    /// How new it is.
    pub(crate) revision: Revision,
    /// SHA-256 of the trusted root that it leads to.
    pub(crate) root: [u8; 32],
}

impl Checked {
    /// Checks that it is not older than this.
    pub(crate) fn not_older_than(self, newest: Option<Revision>) -> Result<Self, CheckError> {
        match newest.filter(|newest| *newest > self.revision) {
            Some(newest) => Err(CheckError::Older { got: self.revision, newest }),
            None => Ok(self),
        }
    }
}

/// From when to when the document is valid, if it answers the question, and one of these roots vouches for it at
/// this time.
///
/// # Errors
/// [`CheckError`].
pub fn check(
    item: &CollateralId,
    document: &Document,
    roots: &TrustedRoots,
    now: SystemTime,
) -> Result<Validity, CheckError> {
    inspect(item, document, roots, now).map(|checked| checked.validity)
}

/// The same, with how new the document is.
pub(crate) fn inspect(
    item: &CollateralId,
    document: &Document,
    roots: &TrustedRoots,
    now: SystemTime,
) -> Result<Checked, CheckError> {
    let Document { body, issuer_chain } = document;
    let checked = |number, validity: Validity, root| Checked {
        validity,
        revision: Revision::new(number, validity.from),
        root,
    };
    Ok(match item {
        CollateralId::PckCertificate(question) => {
            let certificate = verify::check_pck_certificate(body, issuer_chain, roots, now)?;
            let (asked, got) =
                (hex::encode(question.pce_id), hex::encode(certificate.extension.pce_id));
            same("PCE id", &asked, &got)?;
            checked(0, certificate.validity, certificate.signer.root)
        }
        CollateralId::PckCrl(ca) => {
            let crl = verify::check_pck_crl(body, issuer_chain, roots, now)?;
            same("PCK CA", &ca.to_string(), &crl.ca.to_string())?;
            checked(crl.number, crl.validity, crl.signer.root)
        }
        CollateralId::RootCaCrl => {
            let crl = verify::check_root_ca_crl(body, roots, now)?;
            checked(crl.number, crl.validity, crl.root)
        }
        CollateralId::TcbInfo { tee, fmspc, set } => {
            let info = verify::check_tcb_info(body, issuer_chain, roots, now)?;
            same("kind of TEE", &tee.to_string(), &info.tee.to_string())?;
            same("FMSPC", &hex::encode(fmspc), &hex::encode(info.fmspc))?;
            same_evaluation(*set, info.tcb_evaluation_data_number)?;
            checked(info.tcb_evaluation_data_number.into(), info.validity, info.signer.root)
        }
        CollateralId::EnclaveIdentity { enclave, set } => {
            let identity = verify::check_enclave_identity(body, issuer_chain, roots, now)?;
            same("enclave", &enclave.to_string(), &identity.id.to_string())?;
            same_evaluation(*set, identity.tcb_evaluation_data_number)?;
            let number = identity.tcb_evaluation_data_number.into();
            checked(number, identity.validity, identity.signer.root)
        }
    })
}

/// Which one is the standard one, and which the early one, is nowhere signed.
fn same_evaluation(asked: TcbUpdate, got: u32) -> Result<(), CheckError> {
    match asked {
        TcbUpdate::Number(number) => same(EVALUATION, &number.to_string(), &got.to_string()),
        TcbUpdate::Standard | TcbUpdate::Early => Ok(()),
    }
}

fn same(what: &'static str, asked: &str, got: &str) -> Result<(), CheckError> {
    if asked == got {
        return Ok(());
    }
    Err(CheckError::Another { what, asked: asked.to_owned(), got: got.to_owned() })
}
