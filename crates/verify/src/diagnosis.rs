//! Which step fails, when dcap-qvl has refused: the same steps in its order, one by one.
//!
//! This never makes a quote trusted. It only says where trust ends, and whether the evidence says
//! no there or cannot be used.

use std::time::SystemTime;

use dcap_qvl::config::{Config, CryptoProvider};
use dcap_qvl::configs::DefaultConfig;
use dcap_qvl::intel::{PckExtension, parse_pck_extension};
use rustls_pki_types::CertificateDer;
use sgx::{CertificationDataType, Collateral, IntoBytes, Quote};

use crate::certificates::{Authority, MAX_ISSUERS};
use crate::failure::{At, Failure, Problem};
use crate::signatures::{signed_by, signed_by_key};
use crate::{Step, TrustedRoot};

mod published;
mod tcb;

/// The first step that fails; `Ok` when none does.
pub(crate) fn diagnose(
    quote: &Quote,
    collateral: &Collateral,
    root: &TrustedRoot,
    now: SystemTime,
) -> Result<(), Failure> {
    let root = CertificateDer::from(root.der());
    let authority = Authority::new(&root, collateral, now).at(Step::RootCrl)?;
    let tcb_info = published::tcb_info(collateral, &authority, now).at(Step::TcbInfo)?;
    let qe_identity = published::qe_identity(collateral, &authority, now).at(Step::QeIdentity)?;
    let (pck, platform) = pck(quote, collateral, &authority).at(Step::PckCertificate)?;
    qe_report_signature(quote, &pck).at(Step::QeReportSignature)?;
    attestation_key(quote).at(Step::AttestationKey)?;
    let qe_status = tcb::qe_match(&quote.signature.qe_report, &qe_identity).at(Step::QeMatch)?;
    quote_signature(quote).at(Step::QuoteSignature)?;
    tcb::level(&tcb_info, &platform, qe_status).at(Step::TcbLevel)
}

/// The PCK certificate, which the collateral may bring when the quote does not.
fn pck(
    quote: &Quote,
    collateral: &Collateral,
    authority: &Authority<'_>,
) -> Result<(CertificateDer<'static>, PckExtension), Problem> {
    let certification = &quote.signature.certification_data;
    let chain = match &collateral.pck_certificate_chain {
        Some(chain) => chain.as_bytes(),
        None if certification.data_type == CertificationDataType::PCK_CERTIFICATE_CHAIN => {
            &certification.data
        }
        None => {
            return Err(Problem::Undecided(format!(
                "there is no PCK certificate: the quote carries certification data of type {}, \
                 and the collateral has no pck_certificate_chain",
                certification.data_type
            )));
        }
    };
    let leaf = authority.leaf("the PCK certificate chain", chain, MAX_ISSUERS)?;
    let platform = parse_pck_extension(&leaf).map_err(|error| {
        Problem::Refused(format!("the certificate is no PCK certificate: {error:#}"))
    })?;
    Ok((leaf, platform))
}

fn qe_report_signature(quote: &Quote, pck: &CertificateDer<'_>) -> Result<(), Problem> {
    let signature = &quote.signature;
    if signed_by(pck, signature.qe_report.as_bytes(), &signature.qe_report_signature) {
        return Ok(());
    }
    Err(refused("the PCK key did not sign the QE report; the quote was changed"))
}

fn attestation_key(quote: &Quote) -> Result<(), Problem> {
    const AUTHENTICATION_DATA_SIZE: usize = 32;
    let signature = &quote.signature;
    if signature.authentication_data.len() != AUTHENTICATION_DATA_SIZE {
        return Err(refused("the authentication data is not 32 bytes long"));
    }
    let bound = [&signature.attestation_public_key[..], &signature.authentication_data].concat();
    let hash = <DefaultConfig as Config>::Crypto::sha256(&bound);
    if signature.qe_report.report_data.0.starts_with(&hash) {
        return Ok(());
    }
    Err(refused("the QE report is for another attestation key; the quote was changed"))
}

fn quote_signature(quote: &Quote) -> Result<(), Problem> {
    let signature = &quote.signature;
    let signed = [quote.header.as_bytes(), quote.report_body.as_bytes()].concat();
    if signed_by_key(&signature.attestation_public_key, &signed, &signature.signature) {
        return Ok(());
    }
    Err(refused(
        "the attestation key did not sign this header and report body; the quote was changed",
    ))
}

fn refused(reason: &str) -> Problem {
    Problem::Refused(reason.to_owned())
}
