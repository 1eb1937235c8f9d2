//! The evidence as a whole: when its pieces hold, dcap-qvl decides.

use std::time::{SystemTime, UNIX_EPOCH};

use dcap_qvl::verify::QuoteVerifier;
use dcap_qvl::{QuoteClaims, QuoteCollateralV3, QuotePolicy};
use sgx::{Collateral, Quote, QuoteHeader, QuoteParseError};

use crate::diagnosis::diagnose;
use crate::failure::{At, Failure, Problem};
use crate::pieces::Pieces;
use crate::tcb_level::platform_level;
use crate::{Attested, Step, TrustedRoot, TrustedRoots};

/// What the quote proves under one of the roots, or where it went furthest.
pub(crate) fn check(
    quote: &[u8],
    collateral: &Collateral,
    roots: &TrustedRoots,
    now: SystemTime,
) -> Result<Attested, Failure> {
    let quote = parse(quote).at(Step::QuoteFormat)?;
    let mut furthest = None;
    for root in roots.iter() {
        match check_under(root, &quote, collateral, now) {
            Ok(attested) => return Ok(attested),
            Err(failure) => furthest = furthest.max(Some(failure)),
        }
    }
    Err(furthest.unwrap_or_else(|| Failure::elsewhere("no root is trusted".to_owned())))
}

fn parse(quote: &[u8]) -> Result<Quote, Problem> {
    let quote = Quote::parse_padded(quote).map_err(|error| {
        Problem::Undecided(match error {
            QuoteParseError::Epid(_)
            | QuoteParseError::AttestationKeyType(_)
            | QuoteParseError::TeeType(_) => error.to_string(),
            QuoteParseError::Version(_) => format!("these bytes are no quote: {error}"),
            _ => format!("these bytes are no whole quote: {error}"),
        })
    })?;
    if quote.header.qe_vendor_id != QuoteHeader::INTEL_QE_VENDOR_ID {
        let vendor = hex::encode(quote.header.qe_vendor_id);
        return Err(Problem::Undecided(format!("QE vendor {vendor} is not supported")));
    }
    match (quote.header.version.get(), quote.header.tee_type.get()) {
        (QuoteHeader::VERSION, QuoteHeader::SGX) | (4 | 5, QuoteHeader::TDX) => Ok(quote),
        (QuoteHeader::VERSION, other) => {
            Err(Problem::Undecided(format!("TEE type {other:#x} is not that of SGX (0)")))
        }
        (version, _) => Err(Problem::Undecided(format!(
            "this is an SGX quote of version {version}; SGX quotes of version 3 alone can be \
             verified"
        ))),
    }
}

fn check_under(
    root: &TrustedRoot,
    quote: &Quote,
    collateral: &Collateral,
    now: SystemTime,
) -> Result<Attested, Failure> {
    let pieces = Pieces::check(quote, collateral, root, now)?;
    let claims = match authority(root, quote, collateral, now) {
        Ok(claims) => claims,
        Err(reason) => {
            diagnose(quote, &pieces)?;
            return Err(Failure::elsewhere(reason));
        }
    };
    let level = platform_level(quote, &pieces).at(Step::TcbLevel)?;
    Attested::new(quote.body.clone(), &claims, &pieces.pck, level, root).map_err(Failure::elsewhere)
}

/// Debug enclaves and TDs pass here: whether they are allowed is for the policy to say.
fn authority(
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
