//! Answers of Intel's PCS, unchanged.

use std::time::Duration;

use sgx::{Collateral, CpuSvn};
use test_support::sample::dcap_qvl_package;
use verify::{
    CollateralError, EnclaveId, PckCa, Tee, TrustedRoots, check_enclave_identity,
    check_pck_certificate, check_pck_crl, check_tcb_info,
};

use crate::collateral::pieces::{answer, date, intels, pck_of_quote, recorded, recorded_text};
use crate::common::at;

#[test]
fn every_kind_is_accepted_in_its_time_and_at_no_other() {
    let second = Duration::from_secs(1);
    for piece in intels() {
        let name = piece.name;
        let validity = piece.check().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(piece.check_at(validity.from), Ok(validity), "{name}");
        // A CRL has expired at its nextUpdate, everything else after its last second.
        let last = if name.contains("CRL") { validity.until - second } else { validity.until };
        assert_eq!(piece.check_at(last), Ok(validity), "{name}");
        let early = piece.check_at(validity.from - second).unwrap_err();
        assert!(matches!(early, CollateralError::NotYetValid { .. }), "{name}: {early}");
        let late = piece.check_at(last + second).unwrap_err();
        assert!(matches!(late, CollateralError::Expired { .. }), "{name}: {late}");
        assert!(piece.check_at(at(0)).is_err() && piece.check_at(at(1 << 40)).is_err(), "{name}");
    }
}

#[test]
fn a_pck_certificate_says_what_it_is_for() {
    let chain = recorded_text("pck-platform-ca-chain.pem");
    let now = date("2025-08-20T00:00:00Z");
    let check =
        |file| check_pck_certificate(&recorded(file), &chain, &TrustedRoots::intel(), now).unwrap();
    let highest = check("pck-90806F000000-highest.pem");
    assert_eq!(highest.ca, PckCa::Platform);
    assert_eq!(hex::encode_upper(highest.extension.fmspc), "90806F000000");
    assert_eq!(highest.extension.pce_id, [0, 0]);
    assert_eq!(
        highest.extension.tcb_components,
        [8, 8, 2, 2, 4, 1, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0]
    );
    assert_eq!(highest.extension.cpu_svn, CpuSvn(highest.extension.tcb_components));
    assert_eq!(highest.extension.pce_svn, 11);
    assert_eq!(hex::encode_upper(&highest.serial), "A30F4FCC9A15482F41C08D028256F34EA01C79EB");
    assert_eq!(highest.validity.from, date("2025-08-07T21:24:56Z"));
    assert_eq!(highest.validity.until, date("2032-08-07T21:24:56Z"));
    let lowest = check("pck-90806F000000-lowest.pem");
    assert_eq!(lowest.extension.pce_svn, 5);
    assert_eq!(
        (lowest.extension.ppid, lowest.extension.fmspc),
        (highest.extension.ppid, highest.extension.fmspc)
    );
    assert_ne!(lowest.extension.ppid, [0; 16]);
}

#[test]
fn a_pck_certificate_of_the_processor_ca() {
    let (leaf, issuers) = pck_of_quote();
    let roots = TrustedRoots::intel();
    let now = date("2025-06-25T00:00:00Z");
    let pck = check_pck_certificate(leaf.as_bytes(), &issuers, &roots, now).unwrap();
    assert_eq!(pck.ca, PckCa::Processor);
    assert_eq!(hex::encode_upper(pck.extension.fmspc), "00A067110000");
}

#[test]
fn a_crl_says_who_is_revoked() {
    let chain = recorded_text("pck-platform-ca-chain.pem");
    let now = date("2025-05-15T00:00:00Z");
    let roots = TrustedRoots::intel();
    let crl = check_pck_crl(&recorded("pck-crl-platform.der"), &chain, &roots, now).unwrap();
    assert_eq!(crl.ca, PckCa::Platform);
    assert_eq!(crl.validity.from, date("2025-05-01T13:16:32Z"));
    assert_eq!(crl.validity.until, date("2025-05-31T13:16:32Z"));
    let revoked = hex::decode("6FC34E5023E728923435D61AA4B83C618166AD35").unwrap();
    assert!(crl.revokes(&revoked));
    let good = hex::decode("A30F4FCC9A15482F41C08D028256F34EA01C79EB").unwrap();
    assert!(!crl.revokes(&good) && !crl.revokes(&[]));
}

#[test]
fn tcb_info_and_enclave_identity_say_of_what_they_are() {
    let chain = recorded_text("tcb-signing-chain.pem");
    let roots = TrustedRoots::intel();
    let body = recorded("tcb-info-90806F000000.json");
    let info = check_tcb_info(&body, &chain, &roots, date("2025-08-20T00:00:00Z")).unwrap();
    assert_eq!((info.tee, info.tcb_evaluation_data_number), (Tee::Sgx, 19));
    assert_eq!((info.fmspc, info.pce_id), ([0x90, 0x80, 0x6F, 0, 0, 0], [0, 0]));
    assert_eq!(info.validity.until, date("2025-09-07T00:45:01Z"));
    assert_eq!(info.tcb_levels.len(), 5);
    assert_eq!(info.tcb_levels[0].date, date("2025-05-14T00:00:00Z"));
    let body = recorded("qe-identity.json");
    let now = date("2025-06-25T00:00:00Z");
    let identity = check_enclave_identity(&body, &chain, &roots, now).unwrap();
    assert_eq!((identity.id, identity.tcb_evaluation_data_number), (EnclaveId::Qe, 19));
    assert_eq!(identity.validity.from, date("2025-06-06T12:02:04Z"));
}

#[test]
fn those_of_tdx_are_accepted_too() {
    for (file, now) in [
        ("tdx_quote_collateral.json", "2025-06-25T00:00:00Z"),
        ("tdx_quote_outdated_collateral.json", "2026-03-01T00:00:00Z"),
        ("tdx_quote_td15ex_collateral.json", "2026-10-20T00:00:00Z"),
    ] {
        let json = std::fs::read(dcap_qvl_package().join("sample").join(file)).unwrap();
        let c: Collateral = serde_json::from_slice(&json).unwrap();
        let (roots, now) = (TrustedRoots::intel(), date(now));
        let body = answer("tcbInfo", &c.tcb_info, &c.tcb_info_signature);
        let info = check_tcb_info(&body, &c.tcb_info_issuer_chain, &roots, now).unwrap();
        assert_eq!(info.tee, Tee::Tdx);
        let body = answer("enclaveIdentity", &c.qe_identity, &c.qe_identity_signature);
        let chain = &c.qe_identity_issuer_chain;
        let identity = check_enclave_identity(&body, chain, &roots, now).unwrap();
        assert_eq!(identity.id, EnclaveId::TdQe);
        let crl = check_pck_crl(&c.pck_crl, &c.pck_crl_issuer_chain, &roots, now).unwrap();
        assert_eq!(crl.ca, PckCa::Platform);
    }
}

#[test]
fn the_root_certificate_that_intel_replaced_is_another_root() {
    let chain = recorded_text("pck-processor-ca-chain-2020.pem");
    let crl = recorded("pck-crl-processor-2020.der");
    let now = date("2020-06-01T00:00:00Z");
    let error = check_pck_crl(&crl, &chain, &TrustedRoots::intel(), now).unwrap_err();
    assert!(matches!(error, CollateralError::UntrustedRoot { .. }), "{error}");
    let start = chain.rfind("-----BEGIN").unwrap();
    let old_root = TrustedRoots::parse(&chain.as_bytes()[start..]).unwrap();
    assert_eq!(check_pck_crl(&crl, &chain, &old_root, now).unwrap().ca, PckCa::Processor);
}
