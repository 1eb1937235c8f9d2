#![allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

mod bounds;
mod support;

use sgx::{AesmError, Attributes, MrSigner};
use support::{Log, caller, enclave, in_pod};

use super::aggregator::INTERVAL;
use super::*;
use crate::policy::Refusal;

const LATENCY: Duration = Duration::from_micros(40);

#[test]
fn a_quote_is_logged_with_its_caller_and_its_enclave() {
    let log = Log::new();
    let mut body = enclave(0xab);
    body.attributes = Attributes::new(Attributes::DEBUG, 3);
    (body.isv_prod_id, body.isv_svn) = (2.into(), 5.into());
    log.record(&in_pod(&caller(1000)), &body, None, LATENCY, 0.0);
    let lines = log.lines();
    assert_eq!(lines.len(), 1);
    for (name, value) in [
        ("message", "quote".to_owned()),
        ("uid", "1000".to_owned()),
        ("gid", "100".to_owned()),
        ("pid", "4711".to_owned()),
        ("pod", "6c1a4e95-6bb6-11e6-bc26-28d2444e470d".to_owned()),
        ("container", "c".repeat(64)),
        ("mrenclave", "ab".repeat(32)),
        ("mrsigner", "51".repeat(32)),
        ("isv_prod_id", "2".to_owned()),
        ("isv_svn", "5".to_owned()),
        ("debug", "true".to_owned()),
        ("outcome", "SUCCESS".to_owned()),
        ("latency_us", "40".to_owned()),
        ("quotes", "1".to_owned()),
    ] {
        assert_eq!(lines[0].get(name), Some(&value), "{name}");
    }
    assert_eq!(lines[0].len(), 14, "{:?}", lines[0]);
}

#[test]
fn unknown_fields_are_left_out() {
    let log = Log::new();
    log.record(&Caller::UNKNOWN, &enclave(1), None, LATENCY, 0.0);
    let line = &log.lines()[0];
    for name in ["pid", "pod", "container", "reason"] {
        assert_eq!(line.get(name), None, "{name}");
    }
}

#[test]
fn a_refusal_has_its_reason() {
    let log = Log::new();
    let refusal = Refusal::Uid(1000).to_string();
    let error = QuotingError::new(Refusal::CODE, refusal.clone());
    for _ in 0..3 {
        log.record(&caller(1000), &enclave(1), Some(&error), LATENCY, 0.0);
    }
    log.audit.finish();
    for line in log.lines() {
        assert_eq!(line["outcome"], "UNSUPPORTED_ATT_KEY_ID");
        assert!(line["reason"].starts_with(&refusal), "{line:?}");
        for unchecked in ["mrenclave", "mrsigner", "isv_prod_id", "isv_svn", "debug"] {
            assert_eq!(line.get(unchecked), None, "{line:?}");
        }
    }
    assert_eq!(log.quotes(), [1, 2]);
}

#[test]
fn quotes_with_one_key_are_aggregated_for_ten_seconds() {
    let log = Log::new();
    for millisecond in 0..5 {
        let latency = LATENCY * (1 + millisecond % 3);
        log.record(&caller(0), &enclave(1), None, latency, 0.0);
    }
    log.flush(INTERVAL.as_secs_f64() - 0.1);
    assert_eq!(log.quotes(), [1]);
    log.flush(INTERVAL.as_secs_f64());
    assert_eq!(log.quotes(), [1, 4]);
    assert_eq!(log.lines()[1]["latency_us"], "120");
    log.record(&caller(0), &enclave(1), None, LATENCY, 10.1);
    log.flush(19.0);
    assert_eq!(log.quotes(), [1, 4]);
    log.flush(20.0);
    assert_eq!(log.quotes(), [1, 4, 1]);
    assert_eq!(log.lines()[2]["latency_us"], "40", "the longest of these ten seconds");
}

#[test]
fn callers_that_return_are_logged_at_once() {
    let log = Log::new();
    log.record(&caller(0), &enclave(1), None, LATENCY, 0.0);
    log.flush(10.0);
    log.record(&caller(0), &enclave(1), None, LATENCY, 11.0);
    assert_eq!(log.quotes(), [1, 1]);
}

fn changed(change: impl FnOnce(&mut ReportBody)) -> ReportBody {
    let mut body = enclave(1);
    change(&mut body);
    body
}

#[test]
fn quotes_with_different_keys_have_lines_of_their_own() {
    let log = Log::new();
    let error = QuotingError::new(AesmError::Busy, "full");
    let record = |caller: &Caller, body: &ReportBody, error: Option<&QuotingError>| {
        log.record(caller, body, error, LATENCY, 0.0);
    };
    record(&caller(0), &enclave(1), None);
    record(&caller(1), &enclave(1), None);
    record(&caller(0), &enclave(2), None);
    record(&caller(0), &enclave(1), Some(&error));
    record(&in_pod(&caller(0)), &enclave(1), None);
    record(&Caller { pid: 4712, ..caller(0) }, &enclave(1), None);
    record(&Caller { gid: 101, ..caller(0) }, &enclave(1), None);
    let debug = Attributes::new(Attributes::DEBUG, 3);
    record(&caller(0), &changed(|body| body.attributes = debug), None);
    record(&caller(0), &changed(|body| body.mr_signer = MrSigner([0; 32])), None);
    record(&caller(0), &changed(|body| body.isv_svn = 9.into()), None);
    assert_eq!(log.quotes(), [1; 10]);
}

#[test]
fn failures_have_one_key_whatever_their_reports_say() {
    let log = Log::new();
    let error = QuotingError::new(AesmError::InvalidReport, "the MAC is wrong");
    for byte in 0..200 {
        log.record(&caller(0), &enclave(byte), Some(&error), LATENCY, 0.0);
    }
    log.audit.finish();
    assert_eq!(log.quotes(), [1, 199]);
}

#[test]
fn remaining_aggregates_are_logged_at_the_end() {
    let log = Log::new();
    for uid in [0, 0, 1, 0] {
        log.record(&caller(uid), &enclave(1), None, LATENCY, 0.0);
    }
    log.audit.finish();
    assert_eq!(log.quotes(), [1, 1, 2]);
    log.audit.finish();
    assert_eq!(log.quotes(), [1, 1, 2]);
}

#[test]
fn quotes_are_counted_for_each_caller() {
    let log = Log::new();
    let error = QuotingError::new(AesmError::InvalidReport, "");
    for _ in 0..3 {
        log.record(&in_pod(&caller(7)), &enclave(1), None, LATENCY, 0.0);
    }
    log.record(&caller(7), &enclave(1), Some(&error), LATENCY, 0.0);
    let made = format!(
        "quote_helper_caller_quotes_total{{uid=\"7\",pod=\"6c1a4e95-6bb6-11e6-bc26-28d2444e470d\",\
         mrenclave=\"{}\",debug=\"false\",outcome=\"SUCCESS\"}} 3",
        "01".repeat(32)
    );
    let failed = "quote_helper_caller_quotes_total{uid=\"7\",pod=\"\",mrenclave=\"unchecked\",\
                  debug=\"unchecked\",outcome=\"INVALID_REPORT\"} 1";
    let counters = log.counters();
    assert!(counters.contains(&made), "{counters:#?}");
    assert!(counters.contains(&failed.to_owned()), "{counters:#?}");
    assert_eq!(counters.len(), 2);
}

/// Prints what a quote costs here: `cargo test --release -p service -- --ignored --nocapture
/// cost_of`.
#[test]
#[ignore = "a measurement"]
#[allow(clippy::print_stdout, reason = "that is what it is for")]
fn cost_of_a_record() {
    const TIMES: u32 = 1_000_000;
    let (audit, now) = (AuditLog::new(&Metrics::new("test")), Instant::now());
    let (caller, body) = (in_pod(&caller(0)), enclave(1));
    let begin = Instant::now();
    (0..TIMES).for_each(|_| audit.record(&caller, &body, None, LATENCY, now));
    println!("a record: {} ns", begin.elapsed().as_nanos() / u128::from(TIMES));
    let begin = Instant::now();
    for pid in 0..100_000 {
        audit.record(&Caller { pid, ..caller.clone() }, &body, None, LATENCY, now);
    }
    println!("a record beyond the bounds: {} ns", begin.elapsed().as_nanos() / 100_000);
}
