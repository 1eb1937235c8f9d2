//! Each rule of the policy passes and fails for its own reason.

use sgx::{
    Attributes, ConfigId, Fmspc, IsvExtProdId, IsvFamilyId, MrEnclave, MrSigner,
    PlatformInstanceId, Ppid, ReportData, U16,
};
use verify::{
    Decision, EnclavePolicy, PlatformFeature, Policy, Step, StepOutcome, TcbStatus, Verdict,
    VerdictCode,
};

use crate::common::platform::Platform;
use crate::common::{Requirement, SAMPLE_TIME, at, lenient_but};

/// 2024-03-13T00:00:00Z, the date of the TCB levels of platform and QE.
const TCB_DATE: u64 = 1_710_288_000;

#[test]
fn every_rule_holds_for_what_it_expects() {
    let policy = lenient_but(|policy| {
        policy.enclave = EnclavePolicy {
            mr_enclaves: vec![MrEnclave([0; 32]), MrEnclave([1; 32])],
            mr_signers: vec![MrSigner([2; 32])],
            isv_prod_ids: vec![3],
            minimum_isv_svn: Some(4),
            isv_ext_prod_ids: vec![IsvExtProdId([6; 16])],
            isv_family_ids: vec![IsvFamilyId([7; 16])],
            config_ids: vec![ConfigId([8; 64])],
            minimum_config_svn: Some(9),
            signed_products: Vec::new(),
        };
        policy.report_data = Some(ReportData([5; 64]));
        policy.binding = Some(Ok(()));
        policy.tcb.minimum_date = Some(at(TCB_DATE));
        policy.tcb.minimum_evaluation_data_number = Some(17);
    });
    let verdict = check(&policy);
    assert_eq!(verdict.decision, Decision::Trusted, "{verdict}");
    assert_eq!(verdict.steps.len(), Step::EVIDENCE.len() + 14);
}

#[test]
fn every_rule_fails_for_anything_else() {
    let cases: [(Step, Requirement); 12] = [
        (Step::MrEnclave, |policy| policy.enclave.mr_enclaves = vec![MrEnclave([0; 32])]),
        (Step::MrSigner, |policy| policy.enclave.mr_signers = vec![MrSigner([0; 32])]),
        (Step::IsvProdId, |policy| policy.enclave.isv_prod_ids = vec![4]),
        (Step::IsvSvn, |policy| policy.enclave.minimum_isv_svn = Some(5)),
        (Step::IsvExtProdId, |policy| {
            policy.enclave.isv_ext_prod_ids = vec![IsvExtProdId::default()];
        }),
        (Step::IsvFamilyId, |policy| policy.enclave.isv_family_ids = vec![IsvFamilyId::default()]),
        (Step::ConfigId, |policy| policy.enclave.config_ids = vec![ConfigId::default()]),
        (Step::ConfigSvn, |policy| policy.enclave.minimum_config_svn = Some(10)),
        (Step::ReportData, |policy| {
            let mut report_data = [5; 64];
            report_data[63] = 0;
            policy.report_data = Some(ReportData(report_data));
        }),
        (Step::Binding, |policy| {
            policy.binding = Some(Err("the certificate has another key".to_owned()));
        }),
        (Step::Debug, |policy| policy.allow_debug = false),
        (Step::TcbStatus, |policy| {
            policy.tcb.accepted_statuses = vec![TcbStatus::UpToDate, TcbStatus::SWHardeningNeeded];
        }),
    ];
    for (step, change) in cases {
        refuses(step, &lenient_but(change));
    }
}

#[test]
fn older_collateral_and_tcb_are_refused_by_number_and_date() {
    let number =
        |number| lenient_but(|policy| policy.tcb.minimum_evaluation_data_number = Some(number));
    refuses(Step::TcbEvaluation, &number(18));
    let later = lenient_but(|policy| policy.tcb.minimum_date = Some(at(TCB_DATE + 1)));
    refuses(Step::TcbDate, &later);
    let reason = check(&later).reason.unwrap();
    assert!(reason.contains("expected: at least 2024-03-13T00:00:01Z"), "{reason}");
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
    let accepting = |ids: &[&str]| {
        lenient_but(|policy| {
            policy.tcb.accepted_statuses = vec![TcbStatus::UpToDate];
            policy.tcb.accepted_advisories = ids.iter().map(ToString::to_string).collect();
        })
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
        let policy = lenient_but(|policy| policy.platform.refused_features = vec![feature]);
        refuses(Step::PlatformFeatures, &policy);
        assert!(check(&policy).reason.unwrap().contains(&feature.to_string()));
        assert_eq!(feature.to_string().parse(), Ok(feature));
    }
    let error = "turbo".parse::<PlatformFeature>().unwrap_err().to_string();
    assert!(error.contains("expected dynamic-platform, cached-keys or smt"), "{error}");
    let configuration = |flags: [bool; 3]| {
        let platform = Platform::new(|draft| add_configuration(&mut draft.sgx_extension, flags));
        PlatformFeature::ALL.map(|feature| {
            let policy = lenient_but(|policy| policy.platform.refused_features = vec![feature]);
            platform.verify_at(SAMPLE_TIME, &policy).decision == Decision::Trusted
        })
    };
    assert_eq!(configuration([false, false, false]), [true, true, true]);
    assert_eq!(configuration([true, false, false]), [false, true, true]);
    assert_eq!(configuration([false, true, false]), [true, false, true]);
    assert_eq!(configuration([false, false, true]), [true, true, false]);
}

#[test]
fn only_listed_platforms_are_accepted() {
    let known = Platform::new(|draft| {
        let id = entry(&[&OID[..9], &[6]].concat(), &[&[4, 16], &[9; 16][..]].concat());
        extend(&mut draft.sgx_extension, &id);
    });
    let verdict = known.verify();
    let platform = verdict.trusted().unwrap_or_else(|| panic!("{verdict}")).platform.clone();
    assert_eq!(platform.platform_instance_id, Some([9; 16]));
    let all = lenient_but(|policy| {
        policy.platform.fmspcs = vec![Fmspc([0; 6]), Fmspc(platform.fmspc)];
        policy.platform.ppids = vec![Ppid([0; 16]), Ppid(platform.ppid)];
        policy.platform.instance_ids =
            vec![PlatformInstanceId([0; 16]), PlatformInstanceId([9; 16])];
    });
    assert_eq!(known.verify_at(SAMPLE_TIME, &all).decision, Decision::Trusted);
    refuses(Step::Fmspc, &lenient_but(|policy| policy.platform.fmspcs = vec![Fmspc([0; 6])]));
    refuses(Step::Ppid, &lenient_but(|policy| policy.platform.ppids = vec![Ppid([0; 16])]));
    let other =
        lenient_but(|policy| policy.platform.instance_ids = vec![PlatformInstanceId([0; 16])]);
    let reason = known.verify_at(SAMPLE_TIME, &other).reason.unwrap();
    assert!(reason.starts_with("platform instance id is 0909"), "{reason}");
    // The Processor CA of the sample states none.
    refuses(Step::PlatformInstanceId, &other);
    assert!(check(&other).reason.unwrap().ends_with("has no platform instance id"));
}

/// Adds what the Platform CA states: dynamic platform, cached keys, SMT.
fn add_configuration(extension: &mut Vec<u8>, flags: [bool; 3]) {
    let flag = |number, flag| entry(&[&OID[..], &[number]].concat(), &[1, 1, u8::from(flag) * 255]);
    let flags = (1..).zip(flags).flat_map(|(number, is_set)| flag(number, is_set));
    let flags: Vec<u8> = flags.collect();
    extend(extension, &entry(&OID, &[&[0x30, flags.len() as u8], &flags[..]].concat()));
}

/// The configuration in the SGX extension.
const OID: [u8; 10] = [0x2A, 0x86, 0x48, 0x86, 0xF8, 0x4D, 1, 13, 1, 7];

/// An entry of the SGX extension with a value in DER.
fn entry(oid: &[u8], value: &[u8]) -> Vec<u8> {
    let content = [&[6, oid.len() as u8], oid, value].concat();
    [&[0x30, content.len() as u8], &content[..]].concat()
}

fn extend(extension: &mut Vec<u8>, entry: &[u8]) {
    extension.extend(entry);
    // The sequence has a length of two bytes: 0x30, 0x82, high, low.
    assert_eq!(extension[..2], [0x30, 0x82]);
    let length = (extension.len() - 4) as u16;
    extension[2..4].copy_from_slice(&length.to_be_bytes());
}

#[test]
fn all_broken_rules_are_named_at_once() {
    let mut policy = Policy::default();
    policy.enclave.isv_prod_ids = vec![4];
    let verdict = check(&policy);
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
    let policy = lenient_but(|policy| policy.enclave.minimum_isv_svn = Some(9));
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
