//! Cost of a verification, in bare signature checks: `cargo bench --package verify`.
//!
//! The quote is a public one of a production platform. All figures are of one run, medians of
//! rounds that take turns. The benchmark fails if a limit of SPECIFICATION.md is exceeded.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark fails by panicking, and prints its results"
)]

use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use dcap_qvl::verify::QuoteVerifier;
use dcap_qvl::{QuoteCollateralV3, QuotePolicy};
use sgx::{Collateral, Quote};
use test_support::sample::{SAMPLE_TIME, Sample, sample};
use verify::{Policy, TcbPolicy, TcbStatus, Verifier};

const ROUNDS: usize = 41;
/// The duration of a round.
const ROUND: Duration = Duration::from_millis(40);
/// The duration of a measurement of throughput.
const LASTING: Duration = Duration::from_secs(2);

/// The signatures of a verification without memory: root CRL, TCB signer, TCB info, QE identity,
/// PCK CA, PCK certificate, PCK CRL, QE report, quote.
const SIGNATURES: f64 = 9.0;

fn main() {
    let subject = Subject::new();
    let warm = Verifier::default();
    subject.verify(&warm);
    let measured = [
        Measured::new("bare P-256 check", || subject.check_bare()),
        Measured::new("warm: quote of a known platform", || subject.verify(&warm)),
        Measured::new("cold: nothing remembered", || subject.verify(&Verifier::default())),
        Measured::new("dcap-qvl", || subject.verify_by_dcap_qvl()),
    ];
    let [bare, warm_time, cold, dcap_qvl] = medians(measured);
    let in_checks = |time: Duration| time.as_secs_f64() / bare.as_secs_f64();
    for (name, time) in [("warm", warm_time), ("cold", cold), ("dcap-qvl", dcap_qvl)] {
        println!("{name}: {:.2} bare checks", in_checks(time));
    }
    let cold_ratio = in_checks(cold) / SIGNATURES;
    println!("cold, per signature that it needs: {cold_ratio:.2} bare checks");
    let [one, two] = [1, 2].map(|threads| throughput(&subject, &warm, threads));
    println!("warm, 1 thread: {one:.0}/s; 2 threads: {two:.0}/s, {:.2} times", two / one);
    let per_dcap_qvl = |time: Duration| dcap_qvl.as_secs_f64() / time.as_secs_f64();
    println!(
        "faster than dcap-qvl: warm {:.1} times, cold {:.1} times",
        per_dcap_qvl(warm_time),
        per_dcap_qvl(cold)
    );
    assert!(in_checks(warm_time) <= 1.5, "a warm verification takes more than 1.5 checks");
    assert!(cold_ratio <= 1.2, "a cold verification takes more than 1.2 times its signatures");
    assert!(two / one >= 1.8, "two threads have less than 1.8 times the throughput of one");
}

/// The quote to verify.
struct Subject {
    quote: Vec<u8>,
    collateral: Collateral,
    now: SystemTime,
    policy: Policy,
    /// The parts of the bare check: key, message and signature of the quote.
    key: Vec<u8>,
    message: Vec<u8>,
    signature: [u8; 64],
    dcap_qvl: QuoteVerifier,
    dcap_qvl_collateral: QuoteCollateralV3,
}

impl Subject {
    fn new() -> Self {
        let Sample { quote, collateral } = sample();
        let parsed = Quote::parse_padded(&quote).unwrap();
        let accepted_statuses = TcbStatus::ALL.to_vec();
        let tcb = TcbPolicy { accepted_statuses, ..TcbPolicy::default() };
        let same = serde_json::to_value(&collateral).unwrap();
        Self {
            collateral,
            now: UNIX_EPOCH + Duration::from_secs(SAMPLE_TIME),
            policy: Policy { tcb, ..Policy::default() },
            key: [&[4], &parsed.signature.attestation_public_key[..]].concat(),
            message: parsed.signed_bytes(),
            signature: parsed.signature.signature,
            dcap_qvl: QuoteVerifier::new_prod(),
            dcap_qvl_collateral: serde_json::from_value(same).unwrap(),
            quote,
        }
    }

    fn check_bare(&self) {
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, black_box(&self.key));
        key.verify(&self.message, &self.signature).unwrap();
    }

    fn verify(&self, verifier: &Verifier) {
        let verdict = verifier.verify(&self.quote, &self.collateral, self.now, &self.policy);
        assert!(verdict.trusted().is_some(), "{verdict}");
        black_box(verdict);
    }

    fn verify_by_dcap_qvl(&self) {
        let claims = self.dcap_qvl.verify_with_policy(
            &self.quote,
            self.dcap_qvl_collateral.clone(),
            SAMPLE_TIME,
            &QuotePolicy::claims_only(SAMPLE_TIME),
        );
        black_box(claims.unwrap());
    }
}

/// Work to measure.
struct Measured<'a> {
    name: &'static str,
    work: Box<dyn Fn() + 'a>,
}

impl<'a> Measured<'a> {
    fn new(name: &'static str, work: impl Fn() + 'a) -> Self {
        Self { name, work: Box::new(work) }
    }

    /// The time of one piece of work in this round.
    fn round(&self) -> Duration {
        let (start, mut done) = (Instant::now(), 0);
        while start.elapsed() < ROUND {
            (self.work)();
            done += 1;
        }
        start.elapsed() / done
    }
}

/// The median time of each, and prints them. They take turns, so that all see the same machine.
fn medians<const N: usize>(measured: [Measured<'_>; N]) -> [Duration; N] {
    let rounds: Vec<[Duration; N]> =
        (0..ROUNDS).map(|_| measured.each_ref().map(Measured::round)).collect();
    let mut number = 0;
    measured.map(|Measured { name, .. }| {
        let mut times: Vec<Duration> = rounds.iter().map(|round| round[number]).collect();
        number += 1;
        times.sort_unstable();
        let median = times[ROUNDS / 2];
        println!("{name}: {median:.1?}");
        median
    })
}

/// Verifications per second, all threads together.
fn throughput(subject: &Subject, verifier: &Verifier, threads: u32) -> f64 {
    let work = || {
        let (start, mut done) = (Instant::now(), 0_u32);
        while start.elapsed() < LASTING {
            subject.verify(verifier);
            done += 1;
        }
        f64::from(done) / start.elapsed().as_secs_f64()
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}
