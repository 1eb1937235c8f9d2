//! The requirements of the policy on TDs.

use sgx::{ConfigId, Measurement, MrEnclave, MrSigner, ReportData, TdAttributes, TeeTcbSvn, U64};
use test_support::sample::read;
use verify::Decision::{Refused, Trusted};
use verify::{MaskedBits, Policy, TcbStatus, TdPolicy, TrustedRoots, Verdict, VerdictCode, verify};

use crate::common::platform::Platform;
use crate::common::{Requirement, SAMPLE_TIME, at, lenient, lenient_but};

/// A TD of TDX 1.5 with easy measurements.
fn platform() -> Platform {
    Platform::tdx(|draft| {
        let td = draft.td();
        td.mr_td = Measurement([1; 48]);
        td.rtmr = [2, 3, 4, 5].map(|byte| Measurement([byte; 48]));
        td.report_data = ReportData([6; 64]);
        td.mr_config_id = Measurement([7; 48]);
        td.mr_owner = Measurement([8; 48]);
        td.mr_owner_config = Measurement([9; 48]);
        td.mr_seam = Measurement([10; 48]);
        td.td_attributes = TdAttributes(U64::new(0x4000_0000 | TdAttributes::SEPT_VE_DISABLE));
        td.xfam = U64::new(0xe7);
        draft.td_15();
    })
}

fn of(byte: u8) -> Vec<Measurement> {
    vec![Measurement([byte; 48])]
}

fn bits(text: &str) -> Vec<MaskedBits> {
    vec![text.parse().unwrap()]
}

#[test]
fn every_rule_holds_for_what_it_expects() {
    let policy = lenient_but(|policy| {
        policy.td = TdPolicy {
            mr_tds: [of(0), of(1)].concat(),
            rtmrs: [of(2), of(3), of(4), of(5)],
            mr_config_ids: of(7),
            mr_owners: of(8),
            mr_owner_configs: of(9),
            mr_service_tds: of(0),
            mr_seams: of(10),
            mr_signer_seams: of(0),
            minimum_tee_tcb_svn: Some(TeeTcbSvn([0; 16])),
            td_attributes: bits("0x50000000"),
            xfams: bits("0xe7"),
        };
        policy.report_data = Some(ReportData([6; 64]));
    });
    let verdict = platform().verify_at(SAMPLE_TIME, &policy);
    assert_eq!(verdict.decision, Trusted, "{verdict}");
}

#[test]
fn every_rule_fails_for_anything_else() {
    let platform = platform();
    let cases: [(&str, Requirement); 15] = [
        ("MRTD is 0101", |policy| policy.td.mr_tds = of(99)),
        ("RTMR0 is 0202", |policy| policy.td.rtmrs[0] = of(99)),
        ("RTMR1 is 0303", |policy| policy.td.rtmrs[1] = of(99)),
        ("RTMR2 is 0404", |policy| policy.td.rtmrs[2] = of(99)),
        ("RTMR3 is 0505", |policy| policy.td.rtmrs[3] = of(99)),
        ("MRCONFIGID is 0707", |policy| policy.td.mr_config_ids = of(99)),
        ("MROWNER is 0808", |policy| policy.td.mr_owners = of(99)),
        ("MROWNERCONFIG is 0909", |policy| policy.td.mr_owner_configs = of(99)),
        ("MRSERVICETD is 0000", |policy| policy.td.mr_service_tds = of(99)),
        ("MRSEAM is 0a0a", |policy| policy.td.mr_seams = of(99)),
        ("MRSIGNERSEAM is 0000", |policy| policy.td.mr_signer_seams = of(99)),
        ("; expected: at least 6363", |policy| {
            policy.td.minimum_tee_tcb_svn = Some(TeeTcbSvn([99; 16]));
        }),
        ("TDATTRIBUTES is 0x50000000; expected: 0x10000000", |policy| {
            policy.td.td_attributes = bits("0x10000000");
        }),
        ("XFAM is 0xe7; expected: 0x3/0x7", |policy| policy.td.xfams = bits("0x3/0x7")),
        ("REPORTDATA is 0606", |policy| policy.report_data = Some(ReportData([99; 64]))),
    ];
    for (reason, change) in cases {
        let policy = lenient_but(change);
        let verdict = platform.verify_at(SAMPLE_TIME, &policy);
        refused(&verdict, reason);
        assert!(matches!(verdict.code, VerdictCode::Policy(_)), "{verdict}");
    }
}

#[test]
fn masks_choose_the_bits_that_count() {
    let platform = platform();
    for (attributes, decision) in [
        ("0x10000000/0x10000001", Trusted),
        ("0/0x20000000", Trusted),
        ("1342177280", Trusted),
        ("0/0x40000000", Refused),
        ("0x1/0x1", Refused),
    ] {
        let policy = lenient_but(|policy| policy.td.td_attributes = bits(attributes));
        assert_eq!(platform.verify_at(SAMPLE_TIME, &policy).decision, decision, "{attributes}");
        let xfam =
            lenient_but(|policy| policy.td.xfams = [bits(attributes), bits("0/0x60000")].concat());
        assert_eq!(platform.verify_at(SAMPLE_TIME, &xfam).decision, Trusted, "{attributes}");
    }
    for text in ["", "0x", "/", "0x1/", "+1", "0x+1", "0x1/0x3/0x7", "1 ", "0xfffffffffffffffff"] {
        let error = text.parse::<MaskedBits>().unwrap_err().to_string();
        assert!(error.starts_with("write a number such as"), "{text}: {error}");
    }
    let error = "0x3/0x1".parse::<MaskedBits>().unwrap_err().to_string();
    assert!(error.contains("bits that the mask excludes"), "{error}");
}

#[test]
fn svns_of_a_module_are_compared_within_its_version() {
    // The TD has SVN 4 of version 1, and SVN 5 of all other components.
    let platform = Platform::tdx(|draft| {
        let mut svns = [5; 16];
        svns[..2].copy_from_slice(&[4, 1]);
        draft.td().tee_tcb_svn.0 = svns;
    });
    for (svn, version, others, decision) in [
        (4, 1, 5, Trusted),
        (3, 1, 4, Trusted),
        (9, 0, 5, Trusted),
        (5, 1, 5, Refused),
        (0, 2, 5, Refused),
        (4, 1, 6, Refused),
        (9, 0, 6, Refused),
    ] {
        let mut minimum = [0; 16];
        minimum[..2].copy_from_slice(&[svn, version]);
        minimum[15] = others;
        let policy = lenient_but(|policy| policy.td.minimum_tee_tcb_svn = Some(TeeTcbSvn(minimum)));
        let verdict = platform.verify_at(SAMPLE_TIME, &policy);
        assert_eq!(verdict.decision, decision, "{minimum:?}: {verdict}");
    }
}

#[test]
fn the_tcb_of_a_td_is_checked_as_that_of_an_enclave() {
    // The platform got a missing update of the module after the launch of the TD.
    let platform = Platform::tdx(|draft| {
        draft.td().tee_tcb_svn.0[..2].copy_from_slice(&[3, 1]);
        draft.td_15().tee_tcb_svn_2.0[0] = 4;
    });
    let tcb = platform.verify().trusted().unwrap().tcb.clone();
    assert_eq!(tcb.status, TcbStatus::TDRelaunchAdvised);
    let accepting = |statuses: &[TcbStatus]| {
        let policy = lenient_but(|policy| policy.tcb.accepted_statuses = statuses.to_vec());
        platform.verify_at(SAMPLE_TIME, &policy)
    };
    let refusal = "the TCB status is TDRelaunchAdvised";
    refused(&accepting(&[TcbStatus::UpToDate, TcbStatus::OutOfDate]), refusal);
    assert_eq!(accepting(&[TcbStatus::TDRelaunchAdvised]).decision, Trusted);
    let check = |change: Requirement| platform.verify_at(SAMPLE_TIME, &lenient_but(change));
    refused(&check(|policy| policy.tcb.minimum_date = Some(at(SAMPLE_TIME))), "the TCB date is 20");
    refused(
        &check(|policy| policy.tcb.minimum_evaluation_data_number = Some(1_000)),
        &format!("the TCB evaluation data number is {}", tcb.evaluation_data_number),
    );
}

#[test]
fn production_tds_meet_the_policy_of_their_own_values() {
    for (name, time) in [("tdx_quote", SAMPLE_TIME), ("tdx_quote_td15ex", 1_792_022_400)] {
        let sample = read(name);
        let check = |policy: &Policy| {
            let roots = TrustedRoots::intel();
            verify(&sample.quote, &sample.collateral, &roots, at(time), policy)
        };
        let attested = check(&lenient()).trusted().unwrap().clone();
        let td = *attested.body.td().unwrap();
        let mut policy = lenient_but(|policy| {
            policy.td = TdPolicy {
                mr_tds: vec![td.mr_td],
                rtmrs: td.rtmr.map(|rtmr| vec![rtmr]),
                mr_config_ids: vec![td.mr_config_id],
                mr_owners: vec![td.mr_owner],
                mr_owner_configs: vec![td.mr_owner_config],
                mr_service_tds: Vec::new(),
                mr_seams: vec![td.mr_seam],
                mr_signer_seams: vec![td.mr_signer_seam],
                minimum_tee_tcb_svn: Some(td.tee_tcb_svn),
                td_attributes: vec![MaskedBits::exactly(td.td_attributes.0.get())],
                xfams: vec![MaskedBits::exactly(td.xfam.get())],
            };
        });
        assert_eq!(check(&policy).decision, Trusted, "{name}");
        policy.td.mr_seams = of(1);
        refused(&check(&policy), "MRSEAM is ");
    }
}

#[test]
fn policies_for_enclaves_are_not_ignored_for_tds_nor_the_reverse() {
    let (td, enclave) = (Platform::tdx(|_| ()), Platform::new(|_| ()));
    let of_enclaves: [(&str, Requirement); 6] = [
        ("MRENCLAVE", |policy| policy.enclave.mr_enclaves = vec![MrEnclave([0; 32])]),
        ("MRSIGNER", |policy| policy.enclave.mr_signers = vec![MrSigner([0; 32])]),
        ("ISVPRODID", |policy| policy.enclave.isv_prod_ids = vec![0]),
        ("ISVSVN", |policy| policy.enclave.minimum_isv_svn = Some(0)),
        ("CONFIGID", |policy| policy.enclave.config_ids = vec![ConfigId::default()]),
        ("CONFIGSVN", |policy| policy.enclave.minimum_config_svn = Some(0)),
    ];
    for (field, change) in of_enclaves {
        let reason = format!("this is the quote of a TD, which has no {field}");
        refused(&td.verify_at(SAMPLE_TIME, &lenient_but(change)), &reason);
    }
    let of_tds: [(&str, Requirement); 6] = [
        ("MRTD", |policy| policy.td.mr_tds = of(0)),
        ("RTMR3", |policy| policy.td.rtmrs[3] = of(0)),
        ("MRSERVICETD", |policy| policy.td.mr_service_tds = of(0)),
        ("TDATTRIBUTES", |policy| policy.td.td_attributes = bits("0/0")),
        ("XFAM", |policy| policy.td.xfams = bits("0/0")),
        ("TEE_TCB_SVN", |policy| policy.td.minimum_tee_tcb_svn = Some(TeeTcbSvn([0; 16]))),
    ];
    for (field, change) in of_tds {
        let reason = format!("this is the quote of an enclave, which has no {field}");
        refused(&enclave.verify_at(SAMPLE_TIME, &lenient_but(change)), &reason);
    }
    let service_td = lenient_but(|policy| policy.td.mr_service_tds = of(0));
    refused(
        &td.verify_at(SAMPLE_TIME, &service_td),
        "a quote of TDX 1.0, which has no MRSERVICETD",
    );
}

#[track_caller]
fn refused(verdict: &Verdict, reason: &str) {
    assert_eq!(verdict.decision, Refused, "{verdict}");
    assert!(verdict.reason.as_ref().unwrap().contains(reason), "{verdict}");
}
