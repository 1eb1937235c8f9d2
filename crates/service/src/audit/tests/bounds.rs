//! Callers that try to fill the log, or the memory.

use std::collections::HashMap;

use super::support::in_the_pod;
use super::*;
use crate::audit::aggregator::{MAX_KEYS, MAX_LINES, MAX_TENANTS};
use crate::audit::counters::{IDLE_TIME, MAX_LABEL_SETS};
use crate::caller::Tenant;

const QUOTES: u32 = 100_000;

/// Records [`QUOTES`] quotes, spread over a minute, with a flush each second. `of` gives the caller
/// of each.
fn flood(log: &Log, of: impl Fn(u32) -> Caller) {
    let per_second = QUOTES / 60;
    for number in 0..QUOTES {
        let at = f64::from(number) / f64::from(per_second);
        log.record(&of(number), &enclave(1), None, LATENCY, at);
        if number % per_second == 0 {
            log.flush(at);
            assert!(log.size() <= MAX_KEYS + 2 * MAX_TENANTS);
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

/// Lines about new keys within a minute, and aggregates each ten seconds and at the end.
fn most_lines() -> usize {
    61 * (MAX_LINES + MAX_TENANTS) + 7 * (MAX_KEYS + 2 * MAX_TENANTS + 1)
}

#[test]
fn no_quote_is_missing_however_many_keys_there_are() {
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
fn lines_per_second_are_bounded() {
    let log = Log::new();
    for second in 0..3 {
        for number in 0..1_000 {
            let who =
                Caller { pid: 1 + second * 1_000 + number, ..caller(number.cast_unsigned() % 7) };
            log.record(&who, &enclave(1), None, LATENCY, f64::from(second) + 0.5);
        }
    }
    // A part is left for the next caller.
    assert!((2 * MAX_LINES..=3 * MAX_LINES).contains(&log.lines().len()), "{}", log.lines().len());
}

/// A different process each time, each of which returns before it is forgotten.
fn process(second: i32, number: i32, caller: &Caller) -> Caller {
    Caller { pid: 1 + number + second % 5 * 1_000, ..caller.clone() }
}

/// Floods the log for a minute, and checks that another caller each second is still logged.
fn others_are_in_the_log(hostile: &[Caller], other: impl Fn(u32) -> Caller) {
    let log = Log::new();
    for second in 0..60 {
        let at = f64::from(second);
        for number in 0..(50 + 1_000 / hostile.len() as i32) {
            for caller in hostile {
                log.record(&process(second, number, caller), &enclave(6), None, LATENCY, at);
            }
        }
        log.flush(at);
        let other = other(second.cast_unsigned());
        log.record(&other, &enclave(1), None, LATENCY, at);
        let last = log.lines().pop().unwrap();
        assert_eq!((&last["uid"], &last["mrenclave"]), (&other.uid.to_string(), &"01".repeat(32)));
    }
}

#[test]
fn a_user_cannot_keep_others_out_of_the_log() {
    others_are_in_the_log(&[caller(666)], |second| caller(1_000 + second));
}

#[test]
fn a_pod_cannot_keep_pods_of_the_same_user_out_of_the_log() {
    let hostile = in_the_pod("hostile", &caller(65_532));
    others_are_in_the_log(&[hostile], |second| {
        in_the_pod(&format!("pod-{second}"), &caller(65_532))
    });
}

#[test]
fn many_flooding_pods_cannot_keep_others_out_of_the_log() {
    let hostile: Vec<_> =
        (0..20).map(|number| in_the_pod(&format!("hostile-{number}"), &caller(0))).collect();
    others_are_in_the_log(&hostile, |second| caller(1_000 + second));
}

#[test]
fn made_up_reports_cannot_push_a_quote_into_an_aggregate() {
    let log = Log::new();
    let error = QuotingError::new(AesmError::InvalidReport, "the MAC is wrong");
    let caller = in_pod(&caller(65_532));
    for second in 0..20 {
        let at = f64::from(second);
        for number in 0..2_000 {
            let body = enclave((number % 251) as u8);
            log.record(&process(second, number, &caller), &body, Some(&error), LATENCY, at);
        }
        log.record(
            &Caller { pid: 99_000 + second, ..caller.clone() },
            &enclave(1),
            None,
            LATENCY,
            at,
        );
        log.flush(at);
    }
    let made: Vec<_> =
        log.lines().into_iter().filter(|line| line["outcome"] == "SUCCESS").collect();
    assert_eq!(made.len(), 20);
    assert!(made.iter().all(|line| line["mrenclave"] == "01".repeat(32)));
}

#[test]
fn aggregates_name_their_tenants() {
    let log = Log::new();
    let error = QuotingError::new(AesmError::InvalidReport, "");
    let range = Caller { tenant: Tenant::UidRange(131_072), ..caller(131_073) };
    for caller in [in_pod(&caller(7)), caller(8), range] {
        for pid in 1..=1_100 {
            let caller = Caller { pid, ..caller.clone() };
            log.record(&caller, &enclave(1), None, LATENCY, 0.0);
            log.record(&caller, &enclave(1), Some(&error), LATENCY, 0.0);
        }
    }
    let begin = log.lines().len();
    log.audit.finish();
    let lines = log.lines().split_off(begin);
    let sums: Vec<_> = lines.iter().filter(|line| !line.contains_key("pid")).collect();
    for (name, value) in
        [("pod", "6c1a4e95-6bb6-11e6-bc26-28d2444e470d"), ("uid", "8"), ("first_uid", "131072")]
    {
        let outcomes = sums.iter().filter(|line| line.get(name).is_some_and(|is| is == value));
        let mut outcomes: Vec<_> =
            outcomes.map(|line| (line["outcome"].as_str(), line.get("mrenclave"))).collect();
        outcomes.sort_unstable();
        assert_eq!(outcomes, [("SUCCESS", Some(&"others".to_owned())), ("others", None)]);
    }
    assert_eq!(sums.len(), 6);
}

#[test]
fn keys_without_new_quotes_are_forgotten() {
    let log = Log::new();
    for number in 0..40 {
        log.record(&caller(number), &enclave(1), None, LATENCY, 0.0);
    }
    assert_eq!(log.size(), 80);
    log.flush(10.0);
    log.flush(20.0);
    assert_eq!(log.size(), 0);
}

#[test]
fn label_sets_are_bounded_and_no_quote_is_missing() {
    let log = Log::new();
    for uid in 0..1_000 {
        log.record(&caller(uid), &enclave(1), None, LATENCY, 0.0);
    }
    let counters = log.counters();
    assert_eq!(counters.len(), MAX_LABEL_SETS + 1);
    let value = |line: &String| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap();
    assert_eq!(counters.iter().map(value).sum::<u64>(), 1_000);
    let others =
        "uid=\"other\",pod=\"other\",mrenclave=\"other\",debug=\"other\",outcome=\"other\"";
    assert!(counters.iter().any(|line| line.contains(others)));
}

#[test]
fn idle_label_sets_are_replaced() {
    let log = Log::new();
    for uid in 0..1_000 {
        log.record(&caller(uid), &enclave(1), None, LATENCY, 0.0);
    }
    let has = |uid: u32| log.counters().iter().any(|line| line.contains(&format!("uid=\"{uid}\"")));
    let end = 1 + i32::try_from(IDLE_TIME.as_secs()).unwrap();
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
    assert_eq!(log.counters().len(), MAX_LABEL_SETS + 1);
}

#[test]
fn a_pod_cannot_take_all_label_sets() {
    let log = Log::new();
    let error = QuotingError::new(AesmError::InvalidReport, "");
    for uid in 0..1_000 {
        let hostile = in_the_pod("hostile", &caller(uid));
        log.record(&hostile, &enclave((uid % 251) as u8), None, LATENCY, 0.0);
        log.record(&hostile, &enclave(1), Some(&error), LATENCY, 0.0);
    }
    let other = in_pod(&caller(7));
    log.record(&other, &enclave(1), None, LATENCY, 0.0);
    log.record(&other, &enclave(1), Some(&error), LATENCY, 0.0);
    let of_pod = |pod: &str| {
        let pod = format!("pod=\"{pod}\"");
        log.counters().iter().filter(|line| line.contains(&pod)).count()
    };
    assert_eq!(of_pod("hostile"), 2 * MAX_LABEL_SETS.div_ceil(2));
    assert_eq!(of_pod("6c1a4e95-6bb6-11e6-bc26-28d2444e470d"), 2);
}
