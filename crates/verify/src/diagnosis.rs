//! The search for the failed step after dcap-qvl has refused the evidence. It repeats the steps of
//! dcap-qvl one by one, and never makes a quote trusted.

use dcap_qvl::config::{Config, CryptoProvider};
use dcap_qvl::configs::DefaultConfig;
use rustls_pki_types::CertificateDer;
use sgx::{IntoBytes, Quote};

use crate::checked_evidence::CheckedEvidence;
use crate::failure::{At, Failure, Problem};
use crate::signatures::{signed_by, signed_by_key};
use crate::tcb_level::platform_level;
use crate::{Step, VerdictCode};

mod quoting_enclave;
mod td_attributes;

/// The first step that fails; `Ok` when none does.
pub(crate) fn diagnose(quote: &Quote, evidence: &CheckedEvidence) -> Result<(), Failure> {
    let CheckedEvidence { pck_der, qe_identity, .. } = evidence;
    qe_report_signature(quote, pck_der).at(Step::QeReportSignature)?;
    attestation_key(quote).at(Step::AttestationKey)?;
    let qe = &quote.signature.qe_report;
    let qe_status = quoting_enclave::check(qe, qe_identity).at(Step::QeMatch)?;
    quote_signature(quote).at(Step::QuoteSignature)?;
    platform_level(quote, evidence).at(Step::TcbLevel)?;
    match qe_status {
        dcap_qvl::TcbStatus::Revoked => {
            let reason = "the Quoting Enclave's security version is revoked";
            Err(Problem::new(VerdictCode::TcbRevoked, reason)).at(Step::TcbLevel)
        }
        _ => td_attributes::check(&quote.body).at(Step::TdAttributes),
    }
}

fn qe_report_signature(quote: &Quote, pck: &CertificateDer<'_>) -> Result<(), Problem> {
    let signature = &quote.signature;
    if signed_by(pck, signature.qe_report.as_bytes(), &signature.qe_report_signature) {
        return Ok(());
    }
    Err(modified("the PCK key did not sign the QE report; the quote was changed"))
}

fn attestation_key(quote: &Quote) -> Result<(), Problem> {
    const AUTHENTICATION_DATA_SIZE: usize = 32;
    let signature = &quote.signature;
    if signature.authentication_data.len() != AUTHENTICATION_DATA_SIZE {
        return Err(modified("the authentication data is not 32 bytes long"));
    }
    let bound = [&signature.attestation_public_key[..], &signature.authentication_data].concat();
    let hash = <DefaultConfig as Config>::Crypto::sha256(&bound);
    if signature.qe_report.report_data.0.starts_with(&hash) {
        return Ok(());
    }
    Err(modified("the QE report is for another attestation key; the quote was changed"))
}

fn quote_signature(quote: &Quote) -> Result<(), Problem> {
    let signature = &quote.signature;
    let signed = quote.signed_bytes();
    if signed_by_key(&signature.attestation_public_key, &signed, &signature.signature) {
        return Ok(());
    }
    Err(modified(
        "the attestation key did not sign this header and report body; the quote was changed",
    ))
}

fn modified(reason: &str) -> Problem {
    Problem::new(VerdictCode::QuoteModified, reason)
}
