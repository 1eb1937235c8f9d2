//! Quotes of trust domains: production quotes, and those of a platform under a root of its own.

use sgx::{TdAttributes, U16, U64};
use test_support::sample::{read, tdx_sample};
use verify::Decision::{Refused, Trusted, Undecided};
use verify::{Policy, Step, TcbStatus, TrustedRoots, Verdict, verify};

use crate::common::platform::{Draft, Platform};
use crate::common::{SAMPLE_TIME, assert_fails, at, lenient, verify_sample};

/// 2026-03-01T00:00:00Z and 2026-10-15T00:00:00Z, when collateral of samples was valid.
const OUTDATED_TIME: u64 = 1_772_323_200;
const TD_15_EX_TIME: u64 = 1_792_022_400;

#[test]
fn dcap_qvl_finds_the_same_of_production_quotes() {
    // One of TDX 1.0, one of TDX 1.5 on a platform below every published level, an extended one.
    for (name, time, decision) in [
        ("tdx_quote", SAMPLE_TIME, Trusted),
        ("tdx_quote_outdated", OUTDATED_TIME, Refused),
        ("tdx_quote_td15ex", TD_15_EX_TIME, Trusted),
    ] {
        let sample = read(name);
        let verdict =
            verify(&sample.quote, &sample.collateral, &TrustedRoots::intel(), at(time), &lenient());
        assert_eq!(verdict.decision, decision, "{name}: {verdict}");
        let collateral = serde_json::to_value(&sample.collateral).unwrap();
        let collateral = serde_json::from_value(collateral).unwrap();
        match dcap_qvl::verify::verify(&sample.quote, &collateral, time) {
            Err(error) => assert!(verdict.trusted().is_none(), "{name}: {error:#}"),
            Ok(theirs) => {
                let tcb = &verdict.trusted().unwrap().tcb;
                assert_eq!(tcb.status.to_string(), theirs.status, "{name}");
                assert_eq!(tcb.advisory_ids, theirs.advisory_ids, "{name}");
            }
        }
    }
}

#[test]
fn json_has_a_td_in_place_of_an_enclave() {
    let json = serde_json::to_value(verify_sample(&tdx_sample())).unwrap();
    let td = &json["attested"]["td"];
    assert!(json["attested"]["enclave"].is_null(), "{json}");
    assert_eq!(td["debug"], false);
    assert_eq!(td["tee_tcb_svn_2"], serde_json::Value::Null);
    assert_eq!(td["rtmr"].as_array().unwrap().len(), 4);
    assert_eq!(td["mr_td"].as_str().unwrap().len(), 96);
    assert_eq!(json["steps"][11]["step"], "td-attributes");
}

#[test]
fn a_flipped_bit_is_refused() {
    let sample = tdx_sample();
    for (offset, step) in [
        (60, Step::QuoteSignature),
        (48 + 136, Step::QuoteSignature),
        (640, Step::QuoteSignature),
        (700, Step::AttestationKey),
        (770, Step::QeReportSignature),
        (1_160, Step::QeReportSignature),
    ] {
        let mut changed = sample.clone();
        changed.quote[offset] ^= 1;
        assert_fails(&verify_sample(&changed), Refused, step);
    }
}

#[test]
fn the_evidence_is_that_of_tdx() {
    assert_eq!(Platform::tdx(|_| ()).verify().decision, Trusted);
    fails_at(Undecided, Step::QeIdentity, |draft| draft.edit_qe_identity("\"TD_QE\"", "\"QE\""));
    fails_at(Undecided, Step::TcbInfo, |draft| {
        draft.edit_tcb_info("\"id\":\"TDX\"", "\"id\":\"SGX\"");
    });
    fails_at(Undecided, Step::TcbLevel, |draft| {
        draft.edit_tcb_info("\"tdxModule\":", "\"module\":");
    });
    // Intel defines no such status for a platform, only for a TD.
    fails_at(Undecided, Step::TcbInfo, |draft| {
        draft.edit_tcb_info("\"UpToDate\"", "\"TDRelaunchAdvised\"");
    });
}

#[test]
fn an_sgx_quote_of_version_4_is_named() {
    let mut platform = Platform::new(|_| ());
    platform.quote.header.version = U16::new(4);
    let verdict = platform.verify();
    assert_fails(&verdict, Undecided, Step::QuoteFormat);
    assert!(verdict.reason.unwrap().contains("an SGX quote of version 4"));
}

#[test]
fn the_tdx_module_is_a_published_one() {
    fails_at(Refused, Step::TcbLevel, |draft| draft.td().mr_signer_seam.0[0] ^= 1);
    fails_at(Refused, Step::TcbLevel, |draft| draft.td().seam_attributes[7] ^= 1);
    // A module with attributes is not trusted, not even a published one.
    fails_at(Refused, Step::TcbLevel, |draft| {
        draft.td().seam_attributes[0] ^= 1;
        draft.edit_tcb_info(
            "\"attributes\":\"0000000000000000\"",
            "\"attributes\":\"0100000000000000\"",
        );
    });
    // Version 0 has the base module, version 0x0a is not known.
    fails_at(Refused, Step::TcbLevel, |draft| draft.td().tee_tcb_svn.0[1] = 0x0a);
    fails_at(Refused, Step::TcbLevel, |draft| draft.td().tee_tcb_svn.0[0] = 0);
    fails_at(Refused, Step::TcbLevel, |draft| draft.td().tee_tcb_svn.0[2] = 0);
}

#[test]
fn the_module_counts_for_the_status() {
    let of_module = |version: u8, isv_svn: u8| {
        status(
            &Platform::tdx(|draft| {
                draft.td().tee_tcb_svn.0[..2].copy_from_slice(&[isv_svn, version]);
            })
            .verify(),
        )
    };
    assert_eq!(of_module(1, 4), TcbStatus::UpToDate);
    assert_eq!(of_module(1, 3), TcbStatus::OutOfDate);
    assert_eq!(of_module(3, 3), TcbStatus::UpToDate);
    // Version 0 is compared as a TDX TCB component.
    assert_eq!(of_module(0, 5), TcbStatus::UpToDate);
    fails_at(Refused, Step::TcbLevel, |draft| {
        draft.td().tee_tcb_svn.0[..2].copy_from_slice(&[4, 0]);
    });
}

#[test]
fn a_td_that_was_launched_before_an_update_should_be_launched_again() {
    let launched_and_current = |launched: u8, current: u8| {
        let platform = Platform::tdx(|draft| {
            draft.td().tee_tcb_svn.0[0] = launched;
            draft.td_15().tee_tcb_svn_2.0[0] = current;
        });
        status(&platform.verify())
    };
    assert_eq!(launched_and_current(4, 4), TcbStatus::UpToDate);
    assert_eq!(launched_and_current(3, 4), TcbStatus::TDRelaunchAdvised);
    assert_eq!(launched_and_current(3, 3), TcbStatus::OutOfDate);
}

#[test]
fn a_td_that_may_leave_or_be_looked_into_is_refused() {
    let with = |flags: u64| move |draft: &mut Draft| draft.td().td_attributes = attributes(flags);
    let good = TdAttributes::SEPT_VE_DISABLE;
    assert_eq!(Platform::tdx(with(good)).verify().decision, Trusted);
    fails_at(Refused, Step::TdAttributes, with(0));
    fails_at(Refused, Step::TdAttributes, with(good | TdAttributes::MIGRATABLE));
    fails_at(Refused, Step::TdAttributes, with(good | TdAttributes::SERVTD_EXT));
    for bit in [1, 3, 7, 15, 23, 26, 32, 61] {
        fails_at(Refused, Step::TdAttributes, with(good | 1 << bit));
    }
    fails_at(Refused, Step::TdAttributes, |draft| {
        draft.td_15().mr_service_td.0[0] = 1;
    });
}

#[test]
fn a_debug_td_is_for_the_policy() {
    for flag in [0, 4, 5, 6] {
        let platform = Platform::tdx(|draft| {
            draft.td().td_attributes = attributes(TdAttributes::SEPT_VE_DISABLE | 1 << flag);
        });
        assert_eq!(platform.verify().decision, Trusted);
        let policy = Policy { allow_debug: false, ..lenient() };
        let verdict = platform.verify_at(SAMPLE_TIME, &policy);
        assert_eq!(verdict.decision, Refused);
        assert!(verdict.reason.unwrap().contains("the TD can be debugged or profiled"));
    }
}

#[test]
fn a_td_of_tdx_15_has_a_current_tcb_too() {
    let same = Platform::tdx(|draft| {
        draft.td_15();
    });
    assert_eq!(status(&same.verify()), status(&Platform::tdx(|_| ()).verify()));
    fails_at(Refused, Step::TcbLevel, |draft| draft.td_15().tee_tcb_svn_2.0[0] = 0);
    fails_at(Refused, Step::TcbLevel, |draft| draft.td_15().tee_tcb_svn_2.0[1] = 0x0a);
}

fn attributes(flags: u64) -> TdAttributes {
    TdAttributes(U64::new(flags))
}

fn status(verdict: &Verdict) -> TcbStatus {
    verdict.trusted().unwrap_or_else(|| panic!("{verdict}")).tcb.status
}

#[track_caller]
fn fails_at(decision: verify::Decision, step: Step, change: impl FnOnce(&mut Draft)) {
    assert_fails(&Platform::tdx(change).verify(), decision, step);
}
