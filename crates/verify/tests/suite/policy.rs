//! Each rule of the policy passes and fails for its own reason.

use sgx::{Attributes, ConfigId, IsvExtProdId, IsvFamilyId, MrEnclave, MrSigner, ReportData, U16};
use verify::{
    Decision, PlatformFeature, Policy, Step, StepOutcome, TcbStatus, Verdict, VerdictCode,
};

use crate::common::platform::Platform;
use crate::common::{SAMPLE_TIME, at, lenient};

/// 2024-03-13T00:00:00Z, the date of the TCB levels of platform and QE.
const TCB_DATE: u64 = 1_710_288_000;

#[test]
fn every_rule_holds_for_what_it_expects() {
    let policy = Policy {
        mr_enclaves: vec![MrEnclave([0; 32]), MrEnclave([1; 32])],
        mr_signers: vec![MrSigner([2; 32])],
        isv_prod_ids: vec![3],
        minimum_isv_svn: Some(4),
        isv_ext_prod_ids: vec![IsvExtProdId([6; 16])],
        isv_family_ids: vec![IsvFamilyId([7; 16])],
        config_ids: vec![ConfigId([8; 64])],
        minimum_config_svn: Some(9),
        report_data: Some(ReportData([5; 64])),
        binding: Some(Ok(())),
        minimum_tcb_date: Some(at(TCB_DATE)),
        minimum_tcb_evaluation_data_number: Some(17),
        ..lenient()
    };
    let verdict = check(&policy);
    assert_eq!(verdict.decision, Decision::Trusted, "{verdict}");
    assert_eq!(verdict.steps.len(), Step::EVIDENCE.len() + 14);
}

#[test]
fn every_rule_fails_for_anything_else() {
    refuses(Step::MrEnclave, &Policy { mr_enclaves: vec![MrEnclave([0; 32])], ..lenient() });
    refuses(Step::MrSigner, &Policy { mr_signers: vec![MrSigner([0; 32])], ..lenient() });
    refuses(Step::IsvProdId, &Policy { isv_prod_ids: vec![4], ..lenient() });
    refuses(Step::IsvSvn, &Policy { minimum_isv_svn: Some(5), ..lenient() });
    refuses(
        Step::IsvExtProdId,
        &Policy { isv_ext_prod_ids: vec![IsvExtProdId::default()], ..lenient() },
    );
    refuses(
        Step::IsvFamilyId,
        &Policy { isv_family_ids: vec![IsvFamilyId::default()], ..lenient() },
    );
    refuses(Step::ConfigId, &Policy { config_ids: vec![ConfigId::default()], ..lenient() });
    refuses(Step::ConfigSvn, &Policy { minimum_config_svn: Some(10), ..lenient() });
    let mut report_data = [5; 64];
    report_data[63] = 0;
    refuses(Step::ReportData, &Policy { report_data: Some(ReportData(report_data)), ..lenient() });
    let binding = Some(Err("the certificate has another key".to_owned()));
    refuses(Step::Binding, &Policy { binding, ..lenient() });
    refuses(Step::Debug, &Policy { allow_debug: false, ..lenient() });
    let accepted_tcb_statuses = vec![TcbStatus::UpToDate, TcbStatus::SWHardeningNeeded];
    refuses(Step::TcbStatus, &Policy { accepted_tcb_statuses, ..lenient() });
}

#[test]
fn older_collateral_and_tcb_are_refused_by_number_and_date() {
    let number = |number| Policy { minimum_tcb_evaluation_data_number: Some(number), ..lenient() };
    refuses(Step::TcbEvaluation, &number(18));
    let minimum_tcb_date = Some(at(TCB_DATE + 1));
    refuses(Step::TcbDate, &Policy { minimum_tcb_date, ..lenient() });
    // The lower number of TCB info and QE identity counts.
    for (tcb_info, qe_identity, lower) in [(17, 20, 17), (20, 17, 17), (20, 19, 19)] {
        let platform = Platform::new(|draft| {
            let number = |number: u32| format!("\"tcbEvaluationDataNumber\":{number}");
            draft.edit_tcb_info(&number(17), &number(tcb_info));
            draft.edit_qe_identity(&number(17), &number(qe_identity));
        });
        let decision = |policy: &Policy| platform.verify_at(SAMPLE_TIME, policy).decision;
        assert_eq!(decision(&number(lower)), Decision::Trusted);
        assert_eq!(decision(&number(lower + 1)), Decision::Refused);
    }
}

#[test]
fn any_status_is_accepted_by_its_advisories_if_all_of_them_are() {
    // The sample has ConfigurationAndSWHardeningNeeded with these two.
    let both = ["INTEL-SA-00289", "INTEL-SA-00615"];
    let accepting = |ids: &[&str]| Policy {
        accepted_tcb_statuses: vec![TcbStatus::UpToDate],
        accepted_advisories: ids.iter().map(ToString::to_string).collect(),
        ..lenient()
    };
    assert_eq!(check(&accepting(&both)).decision, Decision::Trusted);
    assert_eq!(
        check(&accepting(&["INTEL-SA-00001", both[1], both[0]])).decision,
        Decision::Trusted
    );
    refuses(Step::TcbStatus, &accepting(&[]));
    for (accepted, missing) in [(both[0], both[1]), (both[1], both[0])] {
        refuses(Step::TcbStatus, &accepting(&[accepted]));
        let reason = check(&accepting(&[accepted])).reason.unwrap();
        assert!(reason.ends_with(&format!("not accepted: {missing}")), "{reason}");
    }
    // A status without advisories is not accepted for want of any that are refused.
    let silent = Platform::new(|draft| {
        let list = "[\"INTEL-SA-00289\",\"INTEL-SA-00615\"]";
        draft.edit_tcb_info(list, "[]");
    });
    let verdict = silent.verify_at(SAMPLE_TIME, &accepting(&both));
    assert_eq!(verdict.code, VerdictCode::Policy(Step::TcbStatus), "{verdict}");
}

#[test]
fn a_feature_is_refused_unless_the_certificate_rules_it_out() {
    // The Processor CA of the sample states nothing.
    for feature in PlatformFeature::ALL {
        let policy = Policy { refused_features: vec![feature], ..lenient() };
        refuses(Step::PlatformFeatures, &policy);
        assert!(check(&policy).reason.unwrap().contains(&feature.to_string()));
        assert_eq!(feature.to_string().parse(), Ok(feature));
    }
    let error = "turbo".parse::<PlatformFeature>().unwrap_err().to_string();
    assert!(error.contains("expected dynamic-platform, cached-keys or smt"), "{error}");
    let configuration = |flags: [bool; 3]| {
        let platform = Platform::new(|draft| add_configuration(&mut draft.sgx_extension, flags));
        PlatformFeature::ALL.map(|feature| {
            let policy = Policy { refused_features: vec![feature], ..lenient() };
            platform.verify_at(SAMPLE_TIME, &policy).decision == Decision::Trusted
        })
    };
    assert_eq!(configuration([false, false, false]), [true, true, true]);
    assert_eq!(configuration([true, false, false]), [false, true, true]);
    assert_eq!(configuration([false, true, false]), [true, false, true]);
    assert_eq!(configuration([false, false, true]), [true, true, false]);
}

/// Adds what the Platform CA states: dynamic platform, cached keys, SMT.
fn add_configuration(extension: &mut Vec<u8>, flags: [bool; 3]) {
    const OID: [u8; 10] = [0x2A, 0x86, 0x48, 0x86, 0xF8, 0x4D, 1, 13, 1, 7];
    let entry = |oid: &[u8], value: &[u8]| {
        let content = [&[6, oid.len() as u8], oid, value].concat();
        [&[0x30, content.len() as u8], &content[..]].concat()
    };
    let flag = |number, flag| entry(&[&OID[..], &[number]].concat(), &[1, 1, u8::from(flag) * 255]);
    let flags = (1..).zip(flags).flat_map(|(number, is_set)| flag(number, is_set));
    let flags: Vec<u8> = flags.collect();
    let sequence = [&[0x30, flags.len() as u8], &flags[..]].concat();
    extension.extend(entry(&OID, &sequence));
    // The sequence has a length of two bytes: 0x30, 0x82, high, low.
    assert_eq!(extension[..2], [0x30, 0x82]);
    let length = (extension.len() - 4) as u16;
    extension[2..4].copy_from_slice(&length.to_be_bytes());
}

#[test]
fn all_broken_rules_are_named_at_once() {
    let verdict = check(&Policy { isv_prod_ids: vec![4], ..Policy::default() });
    let failed = |result: &&verify::StepResult| matches!(result.outcome, StepOutcome::Failed(_));
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
    platform.quote.body.enclave_mut().unwrap().isv_svn = U16::new(9);
    let policy = Policy { minimum_isv_svn: Some(9), ..lenient() };
    let verdict = platform.verify_at(SAMPLE_TIME, &policy);
    assert_eq!(verdict.decision, Decision::Refused);
    let rule = verdict.steps.iter().find(|result| result.step == Step::IsvSvn).unwrap();
    assert_eq!(rule.outcome, StepOutcome::NotReached);
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
        "TDRelaunchAdvised",
        "TDRelaunchAdvisedConfigurationNeeded",
    ];
    assert_eq!(TcbStatus::ALL.map(|status| status.to_string()), names);
    for status in TcbStatus::ALL {
        assert_eq!(status.to_string().parse(), Ok(status));
    }
    let error = "uptodate".parse::<TcbStatus>().unwrap_err().to_string();
    assert!(error.contains("expected one of UpToDate, SWHardeningNeeded"), "{error}");
}

#[track_caller]
fn refuses(step: Step, policy: &Policy) {
    let verdict = check(policy);
    assert_eq!(verdict.decision, Decision::Refused, "{verdict}");
    assert_eq!(verdict.code, VerdictCode::Policy(step), "{verdict}");
    assert_eq!(verdict.trusted(), None);
    for result in &verdict.steps {
        assert_eq!(
            matches!(result.outcome, StepOutcome::Failed(_)),
            result.step == step,
            "{verdict}"
        );
    }
}

fn check(policy: &Policy) -> Verdict {
    platform().verify_at(SAMPLE_TIME, policy)
}

/// A debug enclave with easy numbers.
fn platform() -> Platform {
    Platform::new(|draft| {
        let body = draft.quote.body.enclave_mut().unwrap();
        body.mr_enclave = MrEnclave([1; 32]);
        body.mr_signer = MrSigner([2; 32]);
        body.isv_prod_id = U16::new(3);
        body.isv_svn = U16::new(4);
        body.isv_ext_prod_id = IsvExtProdId([6; 16]);
        body.isv_family_id = IsvFamilyId([7; 16]);
        body.config_id = ConfigId([8; 64]);
        body.config_svn = U16::new(9);
        body.report_data = ReportData([5; 64]);
        body.attributes = Attributes::new(Attributes::INIT | Attributes::DEBUG, 3);
    })
}
