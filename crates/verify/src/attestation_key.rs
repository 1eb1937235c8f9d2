//! The attestation key: certified by the platform, it signs quotes.

use sgx::{IntoBytes, Quote};

use crate::VerdictCode;
use crate::failure::Problem;
use crate::signatures::{PublicKey, sha256};

/// Checks that the PCK signed the report of the Quoting Enclave.
pub(crate) fn check_qe_report(quote: &Quote, pck: &PublicKey) -> Result<(), Problem> {
    let signature = &quote.signature;
    if pck.signed(signature.qe_report.as_bytes(), &signature.qe_report_signature) {
        return Ok(());
    }
    Err(modified("the PCK key did not sign the QE report; the quote was changed"))
}

/// Checks that the report of the Quoting Enclave names the attestation key.
pub(crate) fn check(quote: &Quote) -> Result<(), Problem> {
    let signature = &quote.signature;
    let hash = sha256([&signature.attestation_public_key, &signature.authentication_data]);
    if signature.qe_report.report_data.0.starts_with(&hash) {
        return Ok(());
    }
    Err(modified("the QE report is for another attestation key; the quote was changed"))
}

/// Checks that the attestation key signed the quote.
pub(crate) fn check_quote(quote: &Quote) -> Result<(), Problem> {
    let signature = &quote.signature;
    let key = PublicKey::from_coordinates(&signature.attestation_public_key);
    if key.signed(&quote.signed_bytes(), &signature.signature) {
        return Ok(());
    }
    Err(modified(
        "the attestation key did not sign this header and report body; the quote was changed",
    ))
}

fn modified(reason: &str) -> Problem {
    Problem::new(VerdictCode::QuoteModified, reason)
}
