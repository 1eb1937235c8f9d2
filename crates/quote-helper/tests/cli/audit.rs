//! The audit log names callers, and the policy refuses some.

use aesm::{Client, Request};
use rustix::process::{Signal, getgid, getuid};
use serde_json::Value;
use sgx::{AttestationKeyId, IntoBytes, MrEnclave, Report};

use crate::support::{Machine, SERVE, Serve};

/// The lines of the log about quotes.
fn quotes(log: &str) -> Vec<Value> {
    let events = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let fields = events.map(|mut event| event["fields"].take());
    fields.filter(|fields| fields["message"] == "quote").collect()
}

#[test]
fn each_quote_is_in_the_log_with_who_asked_for_which_enclave() {
    let machine = Machine::new();
    let serve = machine.serve();
    for _ in 0..3 {
        machine.quote("07");
    }
    let metrics = serve.metrics();
    let quoted = machine.quoted_enclave();
    let mrenclave = quoted.mr_enclave.to_string();
    serve.signal(Signal::TERM);
    let (_, log) = serve.wait();

    let quotes = quotes(&log);
    let number: u64 = quotes.iter().map(|quote| quote["quotes"].as_u64().unwrap()).sum();
    assert_eq!(number, 3, "{quotes:#?}");
    for quote in &quotes {
        assert_eq!(quote["uid"], getuid().as_raw());
        assert_eq!(quote["gid"], getgid().as_raw());
        assert!(quote["pid"].as_i64().unwrap() > 1, "{quote}");
        assert_eq!(quote["mrenclave"], mrenclave);
        assert_eq!(quote["debug"], false);
        assert_eq!(quote["outcome"], "SUCCESS");
        assert!(quote["latency_us"].as_u64().unwrap() > 0);
    }
    let series = metrics.lines().find(|line| line.starts_with("quote_helper_caller_quotes_total{"));
    let series = series.expect(&metrics);
    assert!(series.contains(&format!(r#"mrenclave="{mrenclave}""#)), "{series}");
    assert!(series.ends_with(" 3"), "{series}");
}

#[test]
fn whom_the_policy_refuses_gets_the_official_code_and_the_log_has_the_reason() {
    let machine = Machine::new();
    for (policy, reason) in [
        ("--allowed-uids 4000000000", "uid"),
        (&format!("--allowed-mrsigners {}", "ab".repeat(32)), "MRSIGNER"),
        (&format!("--allowed-mrenclaves {}", "cd".repeat(32)), "MRENCLAVE"),
    ] {
        let serve = Serve::start(&mut machine.command(&format!("{SERVE} {policy}")));
        let refused = machine.run("quote --socket aesm.socket --report-data 07 --out q.bin");
        refused.with_code(1).says(&[
            "no attestation key with this id (AESM_UNSUPPORTED_ATT_KEY_ID, 38)",
            "or the policy of the service refuses this caller or this enclave",
        ]);
        assert!(serve.metrics().contains("\nquote_helper_policy_refusals_total 1\n"));
        serve.signal(Signal::TERM);
        let (_, log) = serve.wait();
        let quotes = quotes(&log);
        assert_eq!(quotes.len(), 1, "{log}");
        assert_eq!(quotes[0]["outcome"], "UNSUPPORTED_ATT_KEY_ID");
        assert!(quotes[0]["reason"].as_str().unwrap().contains(reason), "{quotes:#?}");
    }
}

/// Asks for quotes over REPORTs that nobody has made, each of another enclave.
fn ask_with_made_up_reports(machine: &Machine, count: u32) {
    let (client, key_id) = (Client::new(machine.socket()), AttestationKeyId::ecdsa_p256());
    for number in 0..count {
        let mut report = Report::default();
        report.body.mr_enclave = MrEnclave([0; 32]);
        report.body.mr_enclave.0[..4].copy_from_slice(&number.to_be_bytes());
        report.body.mr_enclave.0[4..].fill(0xee);
        let request = Request::GetQuoteEx {
            report: report.as_bytes(),
            att_key_id: Some(key_id.as_bytes()),
            qe_report_info: None,
            buf_size: 8_192,
        };
        client.call(&request).unwrap_err();
    }
}

#[test]
fn made_up_reports_do_not_hide_a_quote_and_are_not_taken_for_enclaves() {
    let machine = Machine::new();
    let serve = machine.serve();
    ask_with_made_up_reports(&machine, 600);
    machine.quote("07");
    let quoted = machine.quoted_enclave();
    let metrics = serve.metrics();
    serve.signal(Signal::TERM);
    let (_, log) = serve.wait();
    assert!(!log.contains("eeeeeeee") && !metrics.contains("eeeeeeee"), "{log}{metrics}");

    let (made, failed): (Vec<_>, Vec<_>) =
        quotes(&log).into_iter().partition(|quote| quote["outcome"] == "SUCCESS");
    assert_eq!(made.len(), 1, "{log}");
    assert_eq!(made[0]["mrenclave"], quoted.mr_enclave.to_string());
    let number: u64 = failed.iter().map(|quote| quote["quotes"].as_u64().unwrap()).sum();
    assert_eq!((number, failed.len() <= 3), (600, true), "{failed:#?}");
}
