//! Callers that want to fill the log, or the memory.

use std::collections::HashMap;

use super::*;
use crate::audit::counters::{IDLE, LABEL_SETS};
use crate::audit::ledger::{KEYS, LINES, USERS};

const QUOTES: u32 = 100_000;

/// As many quotes as said, spread over a minute, with a flush each second. `whose` says who asks.
fn flood(log: &Log, whose: impl Fn(u32) -> Caller) {
    let per_second = QUOTES / 60;
    for number in 0..QUOTES {
        let at = f64::from(number) / f64::from(per_second);
        log.record(&whose(number), &enclave(1), None, LATENCY, at);
        if number % per_second == 0 {
            log.flush(at);
            assert!(log.audit.ledger().size() <= KEYS + USERS);
        }
    }
    log.audit.finish();
}

fn sum_by_uid(log: &Log) -> HashMap<String, u64> {
    let mut sums = HashMap::new();
    for (line, quotes) in log.lines().iter().zip(log.quotes()) {
        *sums.entry(line["uid"].clone()).or_default() += quotes;
    }
    sums
}

/// New kinds within a minute, and what is summed up each ten seconds and at the end.
fn most_lines() -> usize {
    61 * LINES as usize + 7 * (KEYS + USERS + 1)
}

#[test]
fn no_quote_is_missing_however_many_kinds_there_are() {
    let log = Log::new();
    flood(&log, |number| Caller {
        pid: (number % 5_000).cast_signed() + 1,
        ..caller(number % 100)
    });
    let sums = sum_by_uid(&log);
    assert_eq!(sums.len(), 100, "each user is told apart");
    assert!(sums.values().all(|sum| *sum == u64::from(QUOTES / 100)), "{sums:?}");
    assert!(log.lines().len() <= most_lines(), "{}", log.lines().len());
    assert!(log.lines().iter().any(|line| line["mrenclave"] == "others"));
}

#[test]
fn no_quote_is_missing_however_many_users_there_are() {
    let log = Log::new();
    flood(&log, |number| caller(number % 5_000));
    assert_eq!(sum_by_uid(&log).values().sum::<u64>(), u64::from(QUOTES));
    assert!(sum_by_uid(&log)["others"] > 0);
    assert!(log.lines().len() <= most_lines(), "{}", log.lines().len());
}

#[test]
fn there_are_at_most_so_many_lines_a_second() {
    let log = Log::new();
    for second in 0..3 {
        for number in 0..1_000 {
            let who =
                Caller { pid: 1 + second * 1_000 + number, ..caller(number.cast_unsigned() % 7) };
            log.record(&who, &enclave(1), None, LATENCY, f64::from(second) + 0.5);
        }
    }
    assert_eq!(log.lines().len(), 3 * LINES as usize);
}

#[test]
fn a_user_cannot_keep_others_out_of_the_log() {
    let log = Log::new();
    for second in 0..60 {
        for pid in 1..1_000 {
            // Each of them comes again in time to be remembered.
            let who = Caller { pid: pid + second % 5 * 1_000, ..caller(666) };
            log.record(&who, &enclave(6), None, LATENCY, f64::from(second));
        }
        log.flush(f64::from(second));
        let uid = 1_000 + u32::try_from(second).unwrap();
        log.record(&caller(uid), &enclave(1), None, LATENCY, f64::from(second));
        let last = log.lines().pop().unwrap();
        assert_eq!((&last["uid"], &last["mrenclave"]), (&uid.to_string(), &"01".repeat(32)));
    }
}

#[test]
fn what_does_not_come_again_is_forgotten() {
    let log = Log::new();
    for number in 0..40 {
        log.record(&caller(number), &enclave(1), None, LATENCY, 0.0);
    }
    assert_eq!(log.audit.ledger().size(), 80);
    log.flush(10.0);
    log.flush(20.0);
    assert_eq!(log.audit.ledger().size(), 0);
}

#[test]
fn label_sets_are_bounded_and_no_quote_is_missing() {
    let log = Log::new();
    for uid in 0..1_000 {
        log.record(&caller(uid), &enclave(1), None, LATENCY, 0.0);
    }
    let counters = log.counters();
    assert_eq!(counters.len(), LABEL_SETS);
    let value = |line: &String| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap();
    assert_eq!(counters.iter().map(value).sum::<u64>(), 1_000);
    let others =
        "uid=\"other\",pod=\"other\",mrenclave=\"other\",debug=\"other\",outcome=\"other\"";
    assert!(counters.iter().any(|line| line.contains(others)));
}

#[test]
fn label_sets_that_have_long_been_idle_make_room() {
    let log = Log::new();
    for uid in 0..1_000 {
        log.record(&caller(uid), &enclave(1), None, LATENCY, 0.0);
    }
    let has = |uid: u32| log.counters().iter().any(|line| line.contains(&format!("uid=\"{uid}\"")));
    let end = 1 + i32::try_from(IDLE.as_secs()).unwrap();
    for second in 0..=end {
        log.record(&caller(1), &enclave(1), None, LATENCY, f64::from(second));
        log.flush(f64::from(second));
        if second == end / 2 {
            log.record(&caller(2_000), &enclave(1), None, LATENCY, f64::from(second));
            assert!(!has(2_000), "there is no room yet");
        }
    }
    assert!(has(1) && has(2) && has(3));
    for uid in [2_001, 2_002] {
        log.record(&caller(uid), &enclave(1), None, LATENCY, f64::from(end));
        assert!(has(uid));
    }
    assert!(has(1), "it was never idle");
    assert_eq!(log.counters().len(), LABEL_SETS);
}
