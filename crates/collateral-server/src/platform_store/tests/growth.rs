//! The cost of a large store: `cargo test --release --package collateral-server growth -- --ignored
//! --nocapture` prints a Markdown table: the time to find a certificate, to keep one, and to open
//! the store; disk; memory. It takes some minutes, and six gigabytes below `TMPDIR`.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and this one prints a table"
)]

use std::fs;
use std::time::{Duration, Instant};

use redb::Error;

use super::{Scratch, platform, tcb};
use crate::platform_store::tables::{self, CERTIFICATES, CHOSEN, with_tcb};
use crate::platform_store::{Authority, PckCertificates, PlatformKey, PlatformStore};

const SIZES: [u64; 4] = [1_000, 10_000, 100_000, 1_000_000];
/// Of a PCK certificate in DER, in bytes.
const CERTIFICATE: usize = 1_270;
/// Platforms in one transaction. Each transaction has an fsync; a million of them would distort the
/// measurement.
const AT_A_TIME: u64 = 10_000;
const LOOKUPS: u64 = 50_000;
const ADDITIONS: u64 = 100;

#[test]
#[ignore = "it takes some minutes and gigabytes"]
fn growth() {
    println!(
        "| platforms | found: median | p99 | kept | bytes each | opened | after a crash | resident |"
    );
    println!("|--:|--:|--:|--:|--:|--:|--:|--:|");
    let scratch = Scratch::new();
    let mut known = 0;
    for size in SIZES {
        fill(&scratch.open().unwrap(), known..size);
        known = size;
        println!("{}", row(&scratch, size));
    }
}

/// Measures the store, which has so many platforms.
fn row(scratch: &Scratch, platforms: u64) -> String {
    let each = fs::metadata(scratch.path()).unwrap().len() / platforms;
    let (store, opened) = open(scratch, platforms);
    assert!(opened < Duration::from_secs(2), "{platforms} platforms: {opened:?}");
    let [median, p99] = timed(0..LOOKUPS, |number| {
        let number = random(number).next().unwrap() % platforms;
        let document = store.chosen(&key(number), &tcb(13)).unwrap().unwrap();
        assert!(document.body.starts_with(b"-----BEGIN"));
    });
    let resident = resident();
    // They replace what is there, so that the store stays as large as it is.
    let [added, _] = timed(0..ADDITIONS, |number| {
        store
            .add(&key(number), &platform(), &certificates(number), &tcb(13), Authority::User)
            .unwrap();
    });
    // A crash leaves a file that was not closed.
    let crashed = Scratch::new();
    fs::copy(scratch.path(), crashed.path()).unwrap();
    let (_, recovered) = open(&crashed, platforms);
    let [median, p99, added, opened, recovered] =
        [median, p99, added, opened, recovered].map(|time| time.as_secs_f64() * 1e3);
    format!(
        "| {platforms} | {:.1} µs | {:.1} µs | {added:.1} ms | {each} | {opened:.0} ms | {recovered:.0} ms | {resident} MB |",
        median * 1e3,
        p99 * 1e3,
    )
}

/// Opens the store, which has so many platforms, and gives the time that it takes.
fn open(scratch: &Scratch, platforms: u64) -> (PlatformStore, Duration) {
    let start = Instant::now();
    let store = scratch.open().unwrap();
    let elapsed = start.elapsed();
    assert_eq!(store.count().unwrap(), platforms);
    (store, elapsed)
}

/// Median and 99th percentile of the times that this takes.
fn timed(numbers: std::ops::Range<u64>, mut work: impl FnMut(u64)) -> [Duration; 2] {
    let mut times: Vec<_> = numbers
        .map(|number| {
            let start = Instant::now();
            work(number);
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    [times[times.len() / 2], times[times.len() * 99 / 100]]
}

/// Keeps these platforms as [`PlatformStore::add`] does, many in one transaction.
fn fill(store: &PlatformStore, mut numbers: std::ops::Range<u64>) {
    while !numbers.is_empty() {
        let some = numbers.start..numbers.end.min(numbers.start + AT_A_TIME);
        numbers.start = some.end;
        let written = store.file.run(|database| {
            let write = database.begin_write()?;
            for number in some.clone() {
                let (key, certificates) = (key(number), certificates(number));
                tables::put_platform(&write, &key, &platform(), &certificates.issuer_chain)?;
                let [(better, der)] = &certificates.certificates[..] else { unreachable!() };
                write.open_table(CERTIFICATES)?.insert(&with_tcb(&key, better), &der[..])?;
                write.open_table(CHOSEN)?.insert(&with_tcb(&key, &tcb(13)), &better.to_bytes())?;
            }
            Ok::<_, Error>(write.commit()?)
        });
        written.unwrap();
    }
}

/// QE ids are spread evenly, as real ones are.
fn key(number: u64) -> PlatformKey {
    let mut qe_id = [0; 16];
    qe_id.iter_mut().zip(bytes(number)).for_each(|(to, from)| *to = from);
    PlatformKey { qe_id, pce_id: [0; 2] }
}

/// Bytes of the size of a certificate, other ones for each platform.
fn certificates(number: u64) -> PckCertificates {
    let der = bytes(!number).take(CERTIFICATE).collect();
    PckCertificates { issuer_chain: "chain".repeat(400), certificates: vec![(tcb(12), der)] }
}

fn bytes(seed: u64) -> impl Iterator<Item = u8> {
    random(seed).flat_map(u64::to_le_bytes)
}

/// SplitMix64.
fn random(seed: u64) -> impl Iterator<Item = u64> {
    let mut state = seed.wrapping_mul(0xd134_2543_de82_ef95);
    std::iter::repeat_with(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    })
}

/// Resident memory (VmRSS) of this process in megabytes.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() * 1024 / 1_000_000
}
