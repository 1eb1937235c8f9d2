//! A quote of a production platform, at the time of its collateral and at other times.

use sgx::Quote;
use test_support::sample::dcap_qvl_package;
use verify::{Decision, Policy, Step, StepOutcome, TcbStatus, TrustedRoots, Verdict, verify};

use crate::common;
use crate::common::{SAMPLE_TIME, assert_fails, at, lenient, sample, verify_sample};

const DAY: u64 = 86_400;

#[test]
fn is_trusted_at_its_time_with_its_status() {
    let verdict = verify_sample(&sample());
    let attested = verdict.trusted().unwrap();
    assert_eq!(attested.tcb.status, TcbStatus::ConfigurationAndSWHardeningNeeded);
    assert_eq!(attested.tcb.advisory_ids, ["INTEL-SA-00289", "INTEL-SA-00615"]);
    assert_eq!(hex::encode_upper(attested.platform.fmspc), "00A067110000");
    assert!(attested.root.subject.ends_with(",CN=Intel SGX Root CA"));
    assert_eq!(attested.body, Quote::parse(&sample().quote).unwrap().body);
    assert!(verdict.steps.len() > Step::EVIDENCE.len(), "the evidence, and the policy");
    assert!(verdict.steps.iter().all(|result| result.outcome == StepOutcome::Passed));
    assert_eq!(verdict.reason, None);
}

#[test]
fn parses_exactly_and_prints_every_step() {
    let quote = sample().quote;
    assert_eq!(Quote::parse(&quote).unwrap().to_bytes(), quote);
    let text = verify_sample(&sample()).to_string();
    assert!(text.starts_with("TRUSTED\n"), "{text}");
    assert!(Step::EVIDENCE.iter().all(|step| text.contains(step.meaning())), "{text}");
    assert!(text.contains("MRENCLAVE") && text.contains("INTEL-SA-00615"), "{text}");
}

#[test]
fn is_refused_by_the_default_policy_for_its_status() {
    let verdict = at_time(SAMPLE_TIME, &Policy::default());
    assert_eq!(verdict.decision, Decision::Refused);
    assert_eq!(verdict.trusted(), None);
    assert!(verdict.attested.is_some(), "what was refused is shown");
    let failed = |step| {
        let result = verdict.steps.iter().find(|result| result.step == step).unwrap();
        matches!(result.outcome, StepOutcome::Failed(_))
    };
    assert!(failed(Step::TcbStatus) && !failed(Step::Debug));
    assert!(Step::EVIDENCE.iter().all(|step| !failed(*step)));
    assert!(verdict.reason.unwrap().contains("ConfigurationAndSWHardeningNeeded (INTEL-SA-00289"));
}

#[test]
fn may_be_padded_with_zeros_only() {
    let mut padded = sample();
    padded.quote.extend([0; 1000]);
    assert_eq!(verify_sample(&padded).decision, Decision::Trusted);
    padded.quote.push(1);
    assert_fails(&verify_sample(&padded), Decision::Undecided, Step::QuoteFormat);
}

#[test]
fn outside_the_dates_nothing_is_decided() {
    let early = at_time(SAMPLE_TIME - 20 * DAY, &lenient());
    assert_eq!(early.decision, Decision::Undecided, "{early}");
    let late = at_time(SAMPLE_TIME + 60 * DAY, &lenient());
    assert_eq!(late.decision, Decision::Undecided, "{late}");
    for time in [0, u64::from(u32::MAX), SAMPLE_TIME + 100_000 * DAY] {
        assert_eq!(at_time(time, &lenient()).decision, Decision::Undecided);
    }
}

#[test]
fn is_trusted_until_the_stated_expiry_and_not_longer() {
    let verdict = at_time(SAMPLE_TIME, &lenient());
    let expires = verdict.trusted().unwrap().earliest_expiration;
    let seconds = expires.duration_since(at(0)).unwrap().as_secs();
    assert_eq!(at_time(seconds - 1, &lenient()).decision, Decision::Trusted);
    assert_eq!(at_time(seconds + 1, &lenient()).decision, Decision::Undecided);
}

#[test]
fn is_refused_under_a_foreign_root() {
    let foreign = common::platform::Platform::new(|_| ());
    let sample = sample();
    let verdict =
        verify(&sample.quote, &sample.collateral, &foreign.roots, at(SAMPLE_TIME), &lenient());
    assert_fails(&verdict, Decision::Refused, Step::TrustedRoot);
}

#[test]
fn json_keeps_its_shape() {
    let json = serde_json::to_value(at_time(SAMPLE_TIME, &Policy::default())).unwrap();
    assert_eq!(keys(&json), ["attested", "code", "decision", "quote_root", "reason", "steps"]);
    assert_eq!(json["decision"], "refused");
    assert_eq!(json["code"], "policy_tcb_status");
    assert_eq!(json["quote_root"]["kind"], "intel");
    assert_eq!(json["steps"][0], serde_json::json!({"step": "quote-format", "outcome": "passed"}));
    assert_eq!(keys(&json["steps"][12]), ["outcome", "reason", "step"]);
    let attested = &json["attested"];
    assert_eq!(keys(attested), ["earliest_expiration", "enclave", "platform", "root", "tcb"]);
    assert_eq!(
        keys(&attested["tcb"]),
        ["advisory_ids", "date", "evaluation_data_number", "status"]
    );
    assert_eq!(keys(&attested["root"]), ["sha256", "subject"]);
    let platform = &attested["platform"];
    let features = ["cached_keys", "dynamic_platform", "smt"];
    let stated = ["cpu_svn", "fmspc", "pce_id", "pce_svn", "platform_instance_id", "ppid"];
    let mut members = [&stated[..], &features].concat();
    members.sort_unstable();
    assert_eq!(keys(platform), members);
    // The Processor CA states no configuration.
    assert!(features.iter().all(|feature| platform[feature].is_null()), "{platform}");
    assert_eq!(attested["tcb"]["status"], "ConfigurationAndSWHardeningNeeded");
    assert_eq!(attested["platform"]["fmspc"], "00a067110000");
    assert_eq!(attested["earliest_expiration"], "2025-07-19T10:01:18Z");
    assert_eq!(attested["enclave"]["mr_enclave"].as_str().unwrap().len(), 64);
}

#[test]
fn intels_root_is_the_published_one() {
    let published = std::fs::read(dcap_qvl_package().join("src/TrustedRootCA.der")).unwrap();
    assert_eq!(TrustedRoots::parse(&published).unwrap(), TrustedRoots::intel());
}

fn at_time(seconds: u64, policy: &Policy) -> Verdict {
    let sample = sample();
    verify(&sample.quote, &sample.collateral, &TrustedRoots::intel(), at(seconds), policy)
}

fn keys(json: &serde_json::Value) -> Vec<&str> {
    let mut keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}
