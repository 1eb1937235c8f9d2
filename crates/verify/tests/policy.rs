//! Each rule of the policy passes and fails for its own reason.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test that stumbles is a test that fails"
)]

mod common;

use common::platform::Platform;
use common::{SAMPLE_TIME, lenient};
use sgx::{Attributes, MrEnclave, MrSigner, ReportData, U16};
use verify::{Decision, Outcome, Policy, Step, TcbStatus, Verdict};

#[test]
fn every_rule_holds_for_what_it_expects() {
    let policy = Policy {
        mr_enclave: Some(MrEnclave([1; 32])),
        mr_signer: Some(MrSigner([2; 32])),
        isv_prod_id: Some(3),
        minimum_isv_svn: Some(4),
        report_data: Some(ReportData([5; 64])),
        ..lenient()
    };
    let verdict = check(&policy);
    assert_eq!(verdict.decision, Decision::Trusted, "{verdict}");
    assert_eq!(verdict.steps.len(), Step::EVIDENCE.len() + 7);
}

#[test]
fn every_rule_fails_for_anything_else() {
    refuses(Step::MrEnclave, &Policy { mr_enclave: Some(MrEnclave([0; 32])), ..lenient() });
    refuses(Step::MrSigner, &Policy { mr_signer: Some(MrSigner([0; 32])), ..lenient() });
    refuses(Step::IsvProdId, &Policy { isv_prod_id: Some(4), ..lenient() });
    refuses(Step::IsvSvn, &Policy { minimum_isv_svn: Some(5), ..lenient() });
    let mut report_data = [5; 64];
    report_data[63] = 0;
    refuses(Step::ReportData, &Policy { report_data: Some(ReportData(report_data)), ..lenient() });
    refuses(Step::Debug, &Policy { allow_debug: false, ..lenient() });
    let accepted_tcb_statuses = vec![TcbStatus::UpToDate, TcbStatus::SWHardeningNeeded];
    refuses(Step::TcbStatus, &Policy { accepted_tcb_statuses, ..lenient() });
}

#[test]
fn all_broken_rules_are_named_at_once() {
    let verdict = check(&Policy { isv_prod_id: Some(4), ..Policy::default() });
    let failed = |result: &&verify::StepResult| matches!(result.outcome, Outcome::Failed(_));
    let failed: Vec<Step> = verdict.steps.iter().filter(failed).map(|result| result.step).collect();
    assert_eq!(failed, [Step::Debug, Step::TcbStatus, Step::IsvProdId]);
    let reason = verdict.reason.unwrap();
    assert!(
        reason.contains("debug enclave") && reason.contains("ISVPRODID is 3; expected: 4"),
        "{reason}"
    );
}

#[test]
fn rules_are_not_reached_when_the_evidence_fails() {
    let mut platform = platform();
    platform.quote.report_body.isv_svn = U16::new(9);
    let policy = Policy { minimum_isv_svn: Some(9), ..lenient() };
    let verdict = platform.verify_at(SAMPLE_TIME, &policy);
    assert_eq!(verdict.decision, Decision::Refused);
    let rule = verdict.steps.iter().find(|result| result.step == Step::IsvSvn).unwrap();
    assert_eq!(rule.outcome, Outcome::NotReached);
}

#[test]
fn statuses_have_their_official_names() {
    let names = [
        "UpToDate",
        "SWHardeningNeeded",
        "ConfigurationNeeded",
        "ConfigurationAndSWHardeningNeeded",
        "OutOfDate",
        "OutOfDateConfigurationNeeded",
        "Revoked",
    ];
    assert_eq!(TcbStatus::ALL.map(|status| status.to_string()), names);
    for status in TcbStatus::ALL {
        assert_eq!(status.to_string().parse(), Ok(status));
    }
    let error = "uptodate".parse::<TcbStatus>().unwrap_err().to_string();
    assert!(error.contains("use one of UpToDate, SWHardeningNeeded"), "{error}");
}

#[track_caller]
fn refuses(step: Step, policy: &Policy) {
    let verdict = check(policy);
    assert_eq!(verdict.decision, Decision::Refused, "{verdict}");
    assert_eq!(verdict.trusted(), None);
    for result in &verdict.steps {
        assert_eq!(matches!(result.outcome, Outcome::Failed(_)), result.step == step, "{verdict}");
    }
}

fn check(policy: &Policy) -> Verdict {
    platform().verify_at(SAMPLE_TIME, policy)
}

/// A debug enclave with easy numbers.
fn platform() -> Platform {
    Platform::new(|draft| {
        let body = &mut draft.quote.report_body;
        body.mr_enclave = MrEnclave([1; 32]);
        body.mr_signer = MrSigner([2; 32]);
        body.isv_prod_id = U16::new(3);
        body.isv_svn = U16::new(4);
        body.report_data = ReportData([5; 64]);
        body.attributes = Attributes::new(Attributes::INIT | Attributes::DEBUG, 3);
    })
}
