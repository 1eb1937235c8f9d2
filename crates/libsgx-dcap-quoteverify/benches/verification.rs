//! Cost of a verification through the C library, in bare signature checks:
//! `cargo bench --package libsgx-dcap-quoteverify`.
//!
//! A C program verifies a public quote of a production platform repeatedly. With `INTEL_LIBRARY`, a
//! directory with Intel's `libsgx_dcap_quoteverify.so.1`, it measures that, too. All figures are of
//! one run, medians of rounds that take turns. The benchmark fails if a limit of SPECIFICATION.md
//! is exceeded.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    dead_code,
    reason = "a benchmark fails by panicking, prints its results, and uses a part of the tests' helpers"
)]

#[path = "../tests/suite/platform.rs"]
mod platform;

use std::hint::black_box;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use sgx::Quote;
use test_support::c_programs::{Build, CPrograms};
use test_support::sample::{SAMPLE_TIME, Sample, sample};
use test_support::shared_object::Profile;

const ROUNDS: usize = 41;
const CALLS: u32 = 500;
/// The calls of each thread in a measurement of throughput.
const CALLS_OF_THREAD: u32 = 20_000;

/// The programs, linked to the optimized library.
static PROGRAMS: CPrograms = CPrograms::new(
    env!("CARGO_MANIFEST_DIR"),
    env!("CARGO_TARGET_TMPDIR"),
    &[env!("CARGO_PKG_NAME")],
    Profile::Bench,
);

fn main() {
    let (program, directory) = (PROGRAMS.compile("measure", Build::Plain), tempfile::tempdir());
    let directory = directory.unwrap();
    let Sample { quote, collateral } = sample();
    platform::write_evidence(directory.path(), &quote, &collateral);
    let check = BareCheck::of(&Quote::parse_padded(&quote).unwrap());
    let mut ours = Measurement::start(program.command(), directory.path());
    let mut intels = std::env::var_os("INTEL_LIBRARY").map(|intels| {
        let mut command = program.command();
        command.env("LD_LIBRARY_PATH", intels);
        Measurement::start(command, directory.path())
    });
    ours.time(1, 1);
    let rounds: Vec<[Duration; 3]> = (0..ROUNDS)
        .map(|_| {
            let intels = intels.as_mut().map(|intels| intels.time(1, CALLS / 20) / (CALLS / 20));
            [check.time() / CALLS, ours.time(1, CALLS) / CALLS, intels.unwrap_or_default()]
        })
        .collect();
    let [bare, warm, intel] = [0, 1, 2].map(|number| {
        let mut times: Vec<Duration> = rounds.iter().map(|round| round[number]).collect();
        times.sort_unstable();
        times[ROUNDS / 2]
    });
    let ratio = warm.as_secs_f64() / bare.as_secs_f64();
    println!("bare P-256 check: {bare:.1?}");
    println!("tee_verify_quote, known platform: {warm:.1?}, {ratio:.2} bare checks");
    if !intel.is_zero() {
        let faster = intel.as_secs_f64() / warm.as_secs_f64();
        println!("Intel's library: {intel:.1?}, {faster:.1} times as long");
    }
    let [one, two] = [1, 2].map(|threads| {
        let time = ours.time(threads, CALLS_OF_THREAD);
        f64::from(threads * CALLS_OF_THREAD) / time.as_secs_f64()
    });
    println!("1 thread: {one:.0}/s; 2 threads: {two:.0}/s, {:.2} times", two / one);
    assert!(ratio <= 1.5, "a verification of a known platform takes more than 1.5 checks");
    assert!(two / one >= 1.8, "two threads have less than 1.8 times the throughput of one");
}

/// The check of the quote's signature alone.
struct BareCheck {
    key: Vec<u8>,
    message: Vec<u8>,
    signature: [u8; 64],
}

impl BareCheck {
    fn of(quote: &Quote) -> Self {
        Self {
            key: [&[4], &quote.signature.attestation_public_key[..]].concat(),
            message: quote.signed_bytes(),
            signature: quote.signature.signature,
        }
    }

    /// The time of as many checks as calls.
    fn time(&self) -> Duration {
        let start = Instant::now();
        for _ in 0..CALLS {
            let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, black_box(&self.key));
            key.verify(&self.message, &self.signature).unwrap();
        }
        start.elapsed()
    }
}

/// The C program.
struct Measurement {
    process: Child,
    orders: ChildStdin,
    times: Lines<BufReader<ChildStdout>>,
}

impl Measurement {
    fn start(mut command: Command, directory: &Path) -> Self {
        command.arg(directory).arg(SAMPLE_TIME.to_string());
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let orders = process.stdin.take().unwrap();
        let times = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, orders, times }
    }

    /// The time of this many calls in each thread.
    fn time(&mut self, threads: u32, calls: u32) -> Duration {
        writeln!(self.orders, "{threads} {calls}").unwrap();
        Duration::from_nanos(self.times.next().unwrap().unwrap().parse().unwrap())
    }
}

impl Drop for Measurement {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
