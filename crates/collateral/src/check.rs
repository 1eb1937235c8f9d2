//! An answer is checked before it is kept.

use std::time::SystemTime;

use verify::{CollateralError, TrustedRoots, Validity};

use crate::{Document, EvaluationSet, Item};

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
}

/// From when to when the document is valid, if it answers the question, and one of these roots vouches for it at
/// this time.
///
/// # Errors
/// [`CheckError`].
pub fn check(
    item: &Item,
    document: &Document,
    roots: &TrustedRoots,
    now: SystemTime,
) -> Result<Validity, CheckError> {
    let Document { body, issuer_chain } = document;
    match item {
        Item::PckCertificate(question) => {
            let certificate = verify::check_pck_certificate(body, issuer_chain, roots, now)?;
            let (asked, got) = (hex::encode(question.pce_id), hex::encode(certificate.pce_id));
            same("PCE id", &asked, &got)?;
            Ok(certificate.validity)
        }
        Item::PckCrl(ca) => {
            let crl = verify::check_pck_crl(body, issuer_chain, roots, now)?;
            same("PCK CA", &ca.to_string(), &crl.ca.to_string())?;
            Ok(crl.validity)
        }
        Item::RootCaCrl => Ok(verify::check_root_ca_crl(body, roots, now)?.validity),
        Item::TcbInfo { tee, fmspc, set } => {
            let info = verify::check_tcb_info(body, issuer_chain, roots, now)?;
            same("kind of TEE", &tee.to_string(), &info.tee.to_string())?;
            same("FMSPC", &hex::encode(fmspc), &hex::encode(info.fmspc))?;
            same_evaluation(*set, info.tcb_evaluation_data_number)?;
            Ok(info.validity)
        }
        Item::EnclaveIdentity { enclave, set } => {
            let identity = verify::check_enclave_identity(body, issuer_chain, roots, now)?;
            same("enclave", &enclave.to_string(), &identity.id.to_string())?;
            same_evaluation(*set, identity.tcb_evaluation_data_number)?;
            Ok(identity.validity)
        }
    }
}

/// Which one is the standard one, and which the early one, is nowhere signed.
fn same_evaluation(asked: EvaluationSet, got: u32) -> Result<(), CheckError> {
    match asked {
        EvaluationSet::Number(number) => {
            same("TCB evaluation", &number.to_string(), &got.to_string())
        }
        EvaluationSet::Standard | EvaluationSet::Early => Ok(()),
    }
}

fn same(what: &'static str, asked: &str, got: &str) -> Result<(), CheckError> {
    if asked == got {
        return Ok(());
    }
    Err(CheckError::Another { what, asked: asked.to_owned(), got: got.to_owned() })
}
