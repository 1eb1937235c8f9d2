//! Checks of a document before it is stored.

use std::time::SystemTime;

use verify::{CollateralError, TrustedRoots, Validity};

use crate::{CollateralId, Document, Revision, TcbUpdate};

/// A document that is not stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// Its certificates, its signature, its dates or its form are wrong.
    #[error(transparent)]
    Collateral(#[from] CollateralError),
    /// It is of another item.
    #[error("it is of another {what}: asked for {asked}, got {got}")]
    Another {
        /// The property that differs.
        what: &'static str,
        /// The requested value.
        asked: String,
        /// The value of the document.
        got: String,
    },
    /// It is older than a document stored before.
    #[error(
        "it is older ({got}) than the one stored before ({newest}); ask a source that is up to date"
    )]
    Older {
        /// Its revision.
        got: Revision,
        /// The newest revision stored before.
        newest: Revision,
    },
}

impl CheckError {
    /// Tells if the document is of another TCB evaluation than the requested one.
    #[must_use]
    pub fn is_other_evaluation(&self) -> bool {
        matches!(self, Self::Another { what: EVALUATION, .. })
    }
}

const EVALUATION: &str = "TCB evaluation";

/// Properties of a valid document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Checked {
    /// Its validity.
    pub(crate) validity: Validity,
    /// Its revision.
    pub(crate) revision: Revision,
    /// SHA-256 of the trusted root of its certificate chain.
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

/// Checks that a document is of this item, leads to one of these roots and is valid at this time.
/// Returns its validity.
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

/// As [`check`], with all properties of the document.
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
        CollateralId::PckCertificate(request) => {
            let certificate = verify::check_pck_certificate(body, issuer_chain, roots, now)?;
            let (asked, got) =
                (hex::encode(request.pce_id), hex::encode(certificate.extension.pce_id));
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

/// Documents do not say if they are of the standard or the early update.
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
