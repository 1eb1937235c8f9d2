//! Whatever is changed in a production quote or its collateral, it is never trusted.

use std::sync::atomic::{AtomicUsize, Ordering};

use sgx::{Collateral, Quote};
use verify::{Decision, Step};

use crate::common::{assert_fails, sample, verify_sample};

/// Offset of the certification data (its type) in the sample: 436, then signature, key, QE report,
/// QE report signature, and 2 + 32 bytes of authentication data.
const CERTIFICATION_DATA: usize = 436 + 64 + 64 + 384 + 64 + 2 + 32;
/// Offset of the PCK certificate chain: after type and length.
const CHAIN: usize = CERTIFICATION_DATA + 2 + 4;

#[test]
fn one_flipped_bit_at_every_byte_before_the_certificates() {
    // One bit of each byte, another one from byte to byte.
    never_trusted((0..CHAIN).map(|byte| (byte, 1 << (byte % 8))));
}

#[test]
fn flipped_bits_in_the_certificates() {
    let quote = sample().quote;
    let chain = std::str::from_utf8(&quote[CHAIN..]).unwrap();
    // The last certificate of the chain is the root, for which the verifier uses its own.
    let root = chain.rmatch_indices("-----BEGIN").next().unwrap().0;
    // Line breaks may be any white space; everything else counts. Every 29th byte is tried.
    let bytes = (0..root).filter(|byte| !chain.as_bytes()[*byte].is_ascii_whitespace());
    never_trusted(bytes.step_by(29).map(|byte| (CHAIN + byte, 1 << (byte % 8))));
}

#[test]
fn cut_short_at_every_length() {
    let whole = sample();
    for length in 0..whole.quote.len() {
        let mut cut = whole.clone();
        cut.quote.truncate(length);
        assert_fails(&verify_sample(&cut), Decision::Undecided, Step::QuoteFormat);
    }
}

#[test]
fn every_damaged_piece_of_the_collateral() {
    use Decision::{Refused, Undecided};
    type Damage = fn(&mut Collateral);
    let damages: [(Damage, Decision, Step); 15] = [
        (|c| c.root_ca_crl.clear(), Undecided, Step::RootCrl),
        (|c| flip_last(&mut c.root_ca_crl), Refused, Step::RootCrl),
        (|c| c.pck_crl.clear(), Undecided, Step::PckCertificate),
        (|c| flip_last(&mut c.pck_crl), Refused, Step::PckCertificate),
        (|c| c.pck_crl = c.root_ca_crl.clone(), Undecided, Step::PckCertificate),
        (|c| c.tcb_info.truncate(100), Undecided, Step::TcbInfo),
        (
            |c| c.tcb_info = c.tcb_info.replace("INTEL-SA-00615", "INTEL-SA-00616"),
            Refused,
            Step::TcbInfo,
        ),
        (|c| flip_last(&mut c.tcb_info_signature), Refused, Step::TcbInfo),
        (|c| c.tcb_info_signature.clear(), Refused, Step::TcbInfo),
        (|c| c.tcb_info_issuer_chain.clear(), Undecided, Step::TcbInfo),
        (|c| c.tcb_info_issuer_chain = c.pck_crl_issuer_chain.clone(), Refused, Step::TcbInfo),
        (|c| c.qe_identity.clear(), Undecided, Step::QeIdentity),
        (|c| flip_last(&mut c.qe_identity_signature), Refused, Step::QeIdentity),
        (|c| c.qe_identity_issuer_chain.clear(), Undecided, Step::QeIdentity),
        (|c| c.pck_certificate_chain = Some(String::new()), Undecided, Step::PckCertificate),
    ];
    for (damage, decision, step) in damages {
        let mut damaged = sample();
        damage(&mut damaged.collateral);
        assert_fails(&verify_sample(&damaged), decision, step);
    }
}

#[test]
fn the_issuer_chain_of_the_pck_crl_is_not_needed() {
    let mut without = sample();
    without.collateral.pck_crl_issuer_chain.clear();
    assert_eq!(verify_sample(&without).decision, Decision::Trusted);
}

#[test]
fn a_pck_certificate_chain_in_the_collateral_stands_in_for_the_quotes() {
    let mut moved = sample();
    let mut quote = Quote::parse(&moved.quote).unwrap();
    let chain = std::mem::take(&mut quote.signature.certification_data.data);
    quote.signature.certification_data.data_type = sgx::CertificationDataType(3);
    moved.quote = quote.to_bytes();
    assert_fails(&verify_sample(&moved), Decision::Undecided, Step::TrustedRoot);
    moved.collateral.pck_certificate_chain = Some(String::from_utf8(chain).unwrap());
    assert_eq!(verify_sample(&moved).decision, Decision::Trusted);
}

/// Tries each flip (byte, bits) on a quote of its own, on all processors.
fn never_trusted(flips: impl Iterator<Item = (usize, u8)>) {
    let flips: Vec<(usize, u8)> = flips.collect();
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().unwrap().get();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((byte, bits)) = flips.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut flipped = sample();
                    flipped.quote[*byte] ^= bits;
                    let verdict = verify_sample(&flipped);
                    assert_ne!(verdict.decision, Decision::Trusted, "byte {byte}:\n{verdict}");
                    let step = verdict
                        .steps
                        .iter()
                        .find(|result| matches!(result.outcome, verify::StepOutcome::Failed(_)));
                    assert!(step.is_some(), "byte {byte}: no step says why:\n{verdict}");
                }
            });
        }
    });
}

fn flip_last(bytes: &mut [u8]) {
    *bytes.last_mut().unwrap() ^= 1;
}
