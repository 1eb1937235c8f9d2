//! The crate dcap-qvl as the authority: over inputs that were changed at random, it and this crate
//! give the same verdict, with and without memory.

mod inputs;
mod random;

use std::sync::atomic::{AtomicU64, Ordering};

use dcap_qvl::verify::QuoteVerifier;
use dcap_qvl::{QuoteClaims, QuoteCollateralV3, QuotePolicy};
use parking_lot::Mutex;
use verify::VerdictCode as Code;
use verify::{Policy, Step, StepOutcome, Verdict, Verifier};

use self::inputs::Input;
use self::random::Random;
use crate::common::{at, lenient};

/// The verdicts on purpose where dcap-qvl accepts, and their reasons.
const STRICTER: [(Step, Code, &str); 15] = [
    (Step::QuoteFormat, Code::NotAQuote, "only zeros follow a quote, and nothing within it"),
    (Step::TrustedRoot, Code::UnreadableEvidence, "all certificates of a chain are read"),
    (Step::TrustedRoot, Code::UntrustedRoot, "the chain in the quote ends at the root"),
    (Step::RootCrl, Code::NotYetValid, "a CRL is not from the future"),
    (Step::TcbInfo, Code::UnreadableEvidence, "TCB info and its chain have Intel's form"),
    (Step::TcbInfo, Code::InvalidSignature, "the signer has the documented subject"),
    (Step::TcbInfo, Code::ForeignCollateral, "the issuer chain ends at the root"),
    (Step::QeIdentity, Code::UnreadableEvidence, "a QE has none of the statuses of platforms"),
    (Step::QeIdentity, Code::InvalidSignature, "the signer has the documented subject"),
    (Step::QeIdentity, Code::ForeignCollateral, "the issuer chain ends at the root"),
    (
        Step::PckCertificate,
        Code::InvalidSignature,
        "all three certificates are the documented ones",
    ),
    (Step::PckCertificate, Code::ForeignCollateral, "the chain in the quote ends at the root"),
    (Step::PckCertificate, Code::NotYetValid, "a CRL is not from the future"),
    (Step::PckCertificate, Code::Expired, "the PCK CA counts, whoever issued the certificate"),
    (Step::QeMatch, Code::QuotingEnclaveMismatch, "the identity has no bits outside of its mask"),
];

/// The refusals of dcap-qvl that this crate does not share on purpose, and their reasons.
const MORE_LENIENT: [(&str, &str); 2] = [
    ("Failed to parse certs", "empty lines may stand in PEM"),
    ("Invalid QE auth data length", "Intel's QE may change its authentication data"),
];

#[test]
fn changed_inputs_get_the_verdict_of_dcap_qvl() {
    compare(0..4_000);
}

#[test]
#[ignore = "takes minutes; see `just differential`"]
fn a_hundred_thousand_changed_inputs_get_the_verdict_of_dcap_qvl() {
    compare(0..100_000);
}

/// Compares the verdicts on the inputs with these numbers.
#[track_caller]
fn compare(numbers: std::ops::Range<u64>) {
    let (next, differences) = (AtomicU64::new(numbers.start), Mutex::new(Vec::new()));
    let (bases, policy) = (inputs::bases(), lenient());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().unwrap().get() {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= numbers.end {
                        return;
                    }
                    let mut random = Random::new(number);
                    // Every third input is signed anew, which takes longer.
                    let (input, verifier) = match random.below(3 * bases.len()) {
                        of_base if of_base < 2 * bases.len() => {
                            let base = &bases[of_base % bases.len()];
                            (inputs::changed(base, &mut random), Some(&base.verifier))
                        }
                        _ => (inputs::signed(&mut random), None),
                    };
                    if let Some(difference) = difference(&input, verifier, &policy) {
                        differences.lock().push(format!("{number}:{} {difference}", input.change));
                    }
                }
            });
        }
    });
    let differences = differences.into_inner();
    assert!(differences.is_empty(), "{}:\n{}", differences.len(), differences.join("\n"));
}

/// The difference between the verdicts without memory, with that of `verifier`, and of dcap-qvl.
fn difference(input: &Input, verifier: Option<&Verifier>, policy: &Policy) -> Option<String> {
    let Input { quote, collateral, roots, now, .. } = input;
    let cold = Verifier::new(roots.clone());
    let verdict = cold.verify(quote, collateral, at(*now), policy);
    for remembering in verifier.into_iter().chain([&cold]) {
        let again = remembering.verify(quote, collateral, at(*now), policy);
        if again != verdict {
            return Some(format!("with memory {again}, without {verdict}"));
        }
    }
    match (verdict.trusted(), by_dcap_qvl(input)) {
        (None, Err(_)) => None,
        (None, Ok(_)) => {
            let failed = failed_step(&verdict);
            let is_stricter = STRICTER
                .iter()
                .any(|(step, code, _)| Some(*step) == failed && *code == verdict.code);
            let difference = || format!("dcap-qvl accepts: {failed:?}, {:?}", verdict.reason);
            (!is_stricter).then(difference)
        }
        (Some(_), Err(error)) => {
            let is_lenient = MORE_LENIENT.iter().any(|(refusal, _)| error.contains(refusal));
            (!is_lenient).then(|| format!("dcap-qvl refuses: {error}"))
        }
        (Some(attested), Ok(theirs)) => {
            let tcb = &attested.tcb;
            let ours = (tcb.status.to_string(), &tcb.advisory_ids, tcb.evaluation_data_number);
            let tcb = &theirs.tcb;
            let theirs = (tcb.status.to_string(), &tcb.advisory_ids, tcb.eval_data_number);
            (ours != theirs).then(|| format!("dcap-qvl finds {theirs:?}, not {ours:?}"))
        }
    }
}

fn failed_step(verdict: &Verdict) -> Option<Step> {
    let mut steps = verdict.steps.iter();
    Some(steps.find(|it| matches!(it.outcome, StepOutcome::Failed(_)))?.step)
}

fn by_dcap_qvl(input: &Input) -> Result<QuoteClaims, String> {
    let Input { quote, collateral, roots, now, .. } = input;
    let collateral = serde_json::to_value(collateral).unwrap();
    let collateral: QuoteCollateralV3 = serde_json::from_value(collateral).unwrap();
    let root = roots.iter().next().unwrap().der().to_vec();
    QuoteVerifier::new(root)
        .allow_debug(true)
        .verify_with_policy(quote, collateral, *now, &QuotePolicy::claims_only(*now))
        .map_err(|error| format!("{error:#}"))
}
