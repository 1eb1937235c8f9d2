//! Duration of a lookup in the cache: `cargo bench --package libdcap-quoteprov`.
//!
//! A C program looks up the same items repeatedly after the service has ended. The result is the
//! median of several batches.

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

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use platform::Platform;
use test_support::c_programs::{Build, CPrograms};
use test_support::shared_object::Profile;

const BATCHES: usize = 21;
const CALLS: u32 = 20_000;

/// The program, linked to the optimized library.
static PROGRAMS: CPrograms = CPrograms::new(
    env!("CARGO_MANIFEST_DIR"),
    env!("CARGO_TARGET_TMPDIR"),
    &[env!("CARGO_PKG_NAME")],
    Profile::Bench,
);

fn main() {
    let (program, platform) = (PROGRAMS.compile("lookup", Build::Plain), Platform::new());
    let service = platform.serve();
    let mut process = platform.command(&program, service.address);
    let mut process = process.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut calls, times) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
    let mut times = BufReader::new(times);
    let mut batch = |calls_of_batch: u32| {
        let mut line = String::new();
        writeln!(calls, "{calls_of_batch}").unwrap();
        times.read_line(&mut line).unwrap();
        let (config, collateral) = line.trim().split_once(' ').unwrap();
        (config.parse::<u64>().unwrap(), collateral.parse::<u64>().unwrap())
    };
    batch(1);
    drop(service);
    let (mut configs, mut collaterals): (Vec<_>, Vec<_>) =
        (0..BATCHES).map(|_| batch(CALLS)).unzip();
    configs.sort_unstable();
    collaterals.sort_unstable();
    println!("sgx_ql_get_quote_config: {} ns", configs[BATCHES / 2]);
    println!("sgx_ql_get_quote_verification_collateral: {} ns", collaterals[BATCHES / 2]);
    drop(calls);
    process.wait().unwrap();
}
