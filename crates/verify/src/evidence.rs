//! The verification of a quote with its collateral under one of several roots.

use std::time::{SystemTime, UNIX_EPOCH};

use dcap_qvl::verify::QuoteVerifier;
use dcap_qvl::{QuoteClaims, QuoteCollateralV3, QuotePolicy};
use sgx::{Collateral, Quote, QuoteHeader, QuoteParseError};

use crate::checked_evidence::{CheckedEvidence, no_pck_certificate};
use crate::collateral::embedded_chain;
use crate::diagnosis::diagnose;
use crate::failure::{At, Failure, Problem};
use crate::tcb_level::platform_level;
use crate::{Attested, ClaimedRoot, Step, TrustedRoot, TrustedRoots, VerdictCode};

/// The facts that the quote proves under one of the roots, else the failure at the latest step.
pub(crate) fn check(
    quote: &Quote,
    collateral: &Collateral,
    roots: &TrustedRoots,
    now: SystemTime,
) -> Result<Attested, Failure> {
    let claimed = claimed_roots(quote, collateral).at(Step::TrustedRoot)?;
    let is_claimed = |root: &TrustedRoot| claimed.iter().any(|claimed| claimed.is(root));
    let mut furthest = None;
    for root in roots.iter().filter(|root| is_claimed(root)) {
        match check_under(root, quote, collateral, now) {
            Ok(attested) => return Ok(attested),
            Err(failure) => furthest = furthest.max(Some(failure)),
        }
    }
    Err(furthest.unwrap_or_else(|| untrusted(quote, &claimed, roots)))
}

/// Checks that the certificates in the quote, if any, lead to a trusted root. Needs no collateral.
pub(crate) fn check_root(quote: &Quote, roots: &TrustedRoots) -> Result<(), Failure> {
    match ClaimedRoot::of_quote(quote) {
        Some(claimed) if !roots.iter().any(|root| claimed.is(root)) => {
            Err(untrusted(quote, &[claimed], roots))
        }
        _ => Ok(()),
    }
}

/// Reads a quote of a supported kind.
pub(crate) fn parse(quote: &[u8]) -> Result<Quote, Failure> {
    parse_supported(quote).at(Step::QuoteFormat)
}

fn parse_supported(quote: &[u8]) -> Result<Quote, Problem> {
    let unsupported = |reason: String| Problem::new(VerdictCode::UnsupportedQuote, reason);
    let quote = Quote::parse_padded(quote).map_err(|error| match error {
        QuoteParseError::Epid(_)
        | QuoteParseError::AttestationKeyType(_)
        | QuoteParseError::TeeType(_) => unsupported(error.to_string()),
        QuoteParseError::Version(_) => {
            Problem::new(VerdictCode::NotAQuote, format!("not a quote: {error}"))
        }
        _ => Problem::new(VerdictCode::NotAQuote, format!("not a complete quote: {error}")),
    })?;
    if quote.header.qe_vendor_id != QuoteHeader::INTEL_QE_VENDOR_ID {
        let vendor = hex::encode(quote.header.qe_vendor_id);
        return Err(unsupported(format!("QE vendor {vendor} is not supported")));
    }
    match (quote.header.version.get(), quote.header.tee_type.get()) {
        (QuoteHeader::VERSION, QuoteHeader::SGX) | (4 | 5, QuoteHeader::TDX) => Ok(quote),
        (QuoteHeader::VERSION, other) => {
            Err(unsupported(format!("TEE type {other:#x} is not that of SGX (0)")))
        }
        (version, _) => Err(unsupported(format!(
            "this is an SGX quote of version {version}; SGX quotes of version 3 alone can be \
             verified"
        ))),
    }
}

/// The roots of the certificates in the quote and in the collateral; at least one. The latter are
/// used if there are both.
fn claimed_roots(quote: &Quote, collateral: &Collateral) -> Result<Vec<ClaimedRoot>, Problem> {
    let given = collateral.pck_certificate_chain.as_ref().map(String::as_bytes);
    let chains = [embedded_chain(quote), given].into_iter().flatten();
    let roots: Vec<_> = chains.map(ClaimedRoot::of_pck_chain).collect();
    match roots.iter().any(Result::is_ok) {
        true => Ok(roots.into_iter().flatten().collect()),
        false => match roots.into_iter().next() {
            Some(Err(error)) => Err(error.into()),
            _ => Err(no_pck_certificate(quote)),
        },
    }
}

/// The failure that no claimed root is trusted. A quote is not refused for the root of certificates
/// in the collateral.
fn untrusted(quote: &Quote, claimed: &[ClaimedRoot], roots: &TrustedRoots) -> Failure {
    let named =
        |root: &TrustedRoot| format!("\"{}\", SHA-256 {}", root.subject, hex::encode(root.sha256));
    let trusted: Vec<String> = roots.iter().map(named).collect();
    let (code, what) = match ClaimedRoot::of_quote(quote) {
        Some(_) => (VerdictCode::UntrustedRoot, "the quote"),
        None => (VerdictCode::ForeignCollateral, "the PCK certificate in the collateral"),
    };
    // The root of the quote itself comes first.
    let claimed = claimed.first().map(ToString::to_string).unwrap_or_default();
    let reason =
        format!("{what} leads to {claimed}, which is not trusted; trusted: {}", trusted.join("; "));
    Failure { step: Some(Step::TrustedRoot), problem: Problem::new(code, reason) }
}

fn check_under(
    root: &TrustedRoot,
    quote: &Quote,
    collateral: &Collateral,
    now: SystemTime,
) -> Result<Attested, Failure> {
    let evidence = CheckedEvidence::check(quote, collateral, root, now)?;
    let claims = match claims_of_dcap_qvl(root, quote, collateral, now) {
        Ok(claims) => claims,
        Err(reason) => {
            diagnose(quote, &evidence)?;
            return Err(Failure::without_step(reason));
        }
    };
    let level = platform_level(quote, &evidence).at(Step::TcbLevel)?;
    Attested::new(quote.body.clone(), &claims, &evidence.pck.extension, level, root)
        .map_err(Failure::without_step)
}

/// The claims of the quote, if dcap-qvl accepts it. Debug enclaves and TDs pass: the policy decides
/// about them.
fn claims_of_dcap_qvl(
    root: &TrustedRoot,
    quote: &Quote,
    collateral: &Collateral,
    now: SystemTime,
) -> Result<QuoteClaims, String> {
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    QuoteVerifier::new(root.der().to_vec())
        .allow_debug(true)
        .verify_with_policy(
            &quote.to_bytes(),
            dcap_qvl_collateral(collateral.clone()),
            now,
            &QuotePolicy::claims_only(now),
        )
        .map_err(|error| format!("{error:#}"))
}

fn dcap_qvl_collateral(collateral: Collateral) -> QuoteCollateralV3 {
    QuoteCollateralV3 {
        pck_crl_issuer_chain: collateral.pck_crl_issuer_chain,
        root_ca_crl: collateral.root_ca_crl,
        pck_crl: collateral.pck_crl,
        tcb_info_issuer_chain: collateral.tcb_info_issuer_chain,
        tcb_info: collateral.tcb_info,
        tcb_info_signature: collateral.tcb_info_signature,
        qe_identity_issuer_chain: collateral.qe_identity_issuer_chain,
        qe_identity: collateral.qe_identity,
        qe_identity_signature: collateral.qe_identity_signature,
        pck_certificate_chain: collateral.pck_certificate_chain,
    }
}
