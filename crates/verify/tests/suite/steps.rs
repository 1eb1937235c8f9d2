//! Each step of the evidence fails alone when only its own promise is broken.

use sgx::{U16, U32};
use verify::Decision::{Refused, Trusted, Undecided};
use verify::{RootKind, Step, VerdictCode, verify_root};

use crate::common::platform::{Draft, Platform};
use crate::common::{SAMPLE_TIME, assert_fails, lenient};

#[test]
fn a_platform_under_its_own_root_is_trusted_under_that_root_only() {
    let platform = Platform::new(|_| ());
    let verdict = platform.verify();
    assert_eq!(verdict.decision, Trusted, "{verdict}");
    assert_eq!(verdict.trusted().unwrap().root.subject, "CN=Test SGX Root CA");
    let intel = Platform { roots: verify::TrustedRoots::intel(), ..platform };
    assert_fails(&intel.verify(), Refused, Step::TrustedRoot);
}

#[test]
fn collateral_of_another_root_decides_nothing() {
    // Both roots have the same name, as those of software platforms do.
    let (platform, other) = (Platform::new(|_| ()), Platform::new(|_| ()));
    let foreign = Platform { collateral: other.collateral, ..platform };
    let verdict = foreign.verify();
    assert_fails(&verdict, Undecided, Step::RootCrl);
    assert_eq!(verdict.code, VerdictCode::ForeignCollateral);
    // The quote's own root is looked at first, and needs no collateral.
    assert_eq!(verify_root(&foreign.quote.to_bytes(), &foreign.roots, &lenient()), None);
    let refused = verify_root(&foreign.quote.to_bytes(), &other.roots, &lenient()).unwrap();
    assert_fails(&refused, Refused, Step::TrustedRoot);
    assert_eq!(refused.code, VerdictCode::UntrustedRoot);
    let root = refused.quote_root.unwrap();
    assert_eq!((&*root.subject, root.kind), ("CN=Test SGX Root CA", RootKind::Unknown));
    assert_eq!(root.sha256, foreign.roots.iter().next().unwrap().sha256);
}

#[test]
fn the_root_of_a_part_of_the_collateral_counts_too() {
    let (platform, other) = (Platform::new(|_| ()), Platform::new(|_| ()));
    let mut mixed = platform;
    mixed.collateral.tcb_info_issuer_chain = other.collateral.tcb_info_issuer_chain;
    let verdict = mixed.verify();
    assert_fails(&verdict, Undecided, Step::TcbInfo);
    assert_eq!(verdict.code, VerdictCode::ForeignCollateral);
}

#[test]
fn every_code_belongs_to_one_decision() {
    for (code, decision) in [
        (VerdictCode::Trusted, Trusted),
        (VerdictCode::UntrustedRoot, Refused),
        (VerdictCode::Policy(Step::MrEnclave), Refused),
        (VerdictCode::ForeignCollateral, Undecided),
        (VerdictCode::Expired, Undecided),
    ] {
        assert_eq!(code.decision(), decision);
    }
    assert_eq!(VerdictCode::Policy(Step::MrEnclave).to_string(), "policy_mr_enclave");
}

#[test]
fn of_several_roots_the_right_one_is_found() {
    let platform = Platform::new(|_| ());
    let pem = |platform: &Platform| {
        let root = platform.roots.iter().next().unwrap().der().to_vec();
        pem::encode(&pem::Pem::new("CERTIFICATE", root))
    };
    let both = pem(&Platform::new(|_| ())) + &pem(&platform);
    let roots = verify::TrustedRoots::parse(both.as_bytes()).unwrap();
    let verdict = Platform { roots, ..platform }.verify();
    assert_eq!(verdict.decision, Trusted, "{verdict}");
}

#[test]
fn quote_format() {
    fails_at(Undecided, Step::QuoteFormat, |draft| draft.quote.header.version = U16::new(4));
    fails_at(Undecided, Step::QuoteFormat, |draft| {
        draft.quote.header.attestation_key_type = U16::new(3);
    });
    fails_at(Undecided, Step::QuoteFormat, |draft| draft.quote.header.qe_vendor_id[0] ^= 1);
    fails_at(Undecided, Step::QuoteFormat, |draft| draft.quote.header.tee_type = U32::new(0x81));
}

#[test]
fn tcb_info() {
    fails_at(Undecided, Step::TcbInfo, |draft| draft.edit_tcb_info("2025-07-19T", "2025-06-20T"));
    fails_at(Undecided, Step::TcbInfo, |draft| draft.edit_tcb_info("2025-06-19T", "2025-07-01T"));
    fails_at(Undecided, Step::TcbInfo, |draft| {
        draft.edit_tcb_info("2025-06-19T", "the 19th of June ");
    });
    fails_at(Refused, Step::TcbInfo, |draft| draft.revoke_tcb_signing = true);
    fails_at(Refused, Step::TcbInfo, |draft| draft.tcb_signing_by_pck_ca = true);
}

#[test]
fn qe_identity() {
    fails_at(Undecided, Step::QeIdentity, |draft| {
        draft.edit_qe_identity("2025-07-19T", "2025-06-20T");
    });
    fails_at(Undecided, Step::QeIdentity, |draft| {
        draft.edit_qe_identity("\"id\":\"QE\"", "\"id\":\"TD_QE\"");
    });
}

#[test]
fn pck_certificate() {
    fails_at(Refused, Step::PckCertificate, |draft| draft.revoke_pck = true);
    fails_at(Undecided, Step::PckCertificate, |draft| draft.sgx_extension.truncate(20));
}

#[test]
fn an_expired_revocation_list() {
    // The test platform's revocation lists expire on 15 July, before its other collateral.
    let verdict = Platform::new(|_| ()).verify_at(SAMPLE_TIME + 21 * 86_400, &lenient());
    assert_fails(&verdict, Undecided, Step::RootCrl);
}

#[test]
fn qe_report_signature() {
    let mut platform = Platform::new(|_| ());
    platform.quote.signature.qe_report.isv_svn = U16::new(99);
    assert_fails(&platform.verify(), Refused, Step::QeReportSignature);
}

#[test]
fn attestation_key() {
    let mut platform = Platform::new(|_| ());
    platform.quote.signature.authentication_data[0] ^= 1;
    assert_fails(&platform.verify(), Refused, Step::AttestationKey);
    let longer = Platform::new(|draft| draft.quote.signature.authentication_data.push(0));
    assert_eq!(longer.verify().decision, Trusted);
}

#[test]
fn qe_match() {
    fails_at(Refused, Step::QeMatch, |draft| draft.quote.signature.qe_report.mr_signer.0[0] ^= 1);
    fails_at(Refused, Step::QeMatch, |draft| {
        draft.quote.signature.qe_report.isv_prod_id = U16::new(2);
    });
    fails_at(Refused, Step::QeMatch, |draft| {
        draft.quote.signature.qe_report.isv_svn = U16::new(0);
    });
    fails_at(Refused, Step::QeMatch, |draft| {
        draft.quote.signature.qe_report.misc_select = U32::new(1);
    });
    for flag in [sgx::Attributes::DEBUG, sgx::Attributes::EINITTOKEN_KEY] {
        fails_at(Refused, Step::QeMatch, |draft| {
            let flags = &mut draft.quote.signature.qe_report.attributes.flags;
            *flags = sgx::U64::new(flags.get() | flag);
        });
    }
    // A QE identity that overlooks the debug flag does not make a debug QE acceptable.
    fails_at(Refused, Step::QeMatch, |draft| {
        draft.edit_qe_identity("FBFFFFFF", "00FFFFFF");
        let flags = &mut draft.quote.signature.qe_report.attributes.flags;
        *flags = sgx::U64::new(flags.get() | sgx::Attributes::DEBUG);
    });
}

#[test]
fn quote_signature() {
    let mut platform = Platform::new(|_| ());
    platform.quote.body.enclave_mut().unwrap().report_data.0[0] ^= 1;
    assert_fails(&platform.verify(), Refused, Step::QuoteSignature);
}

#[test]
fn tcb_level() {
    fails_at(Undecided, Step::TcbLevel, |draft| {
        draft.edit_tcb_info("00A067110000", "00A067110001");
    });
    fails_at(Undecided, Step::TcbInfo, |draft| {
        draft.edit_tcb_info("\"id\":\"SGX\"", "\"id\":\"TDX\"");
    });
    fails_at(Refused, Step::TcbLevel, |draft| draft.edit_tcb_info("\"pcesvn\":", "\"pcesvn\":99"));
    fails_at(Refused, Step::TcbLevel, |draft| {
        let status = "\"ConfigurationAndSWHardeningNeeded\"";
        draft.edit_tcb_info(status, "\"Revoked\"");
    });
    fails_at(Refused, Step::TcbLevel, |draft| {
        draft.edit_qe_identity("\"UpToDate\"", "\"Revoked\"");
    });
}

#[track_caller]
fn fails_at(decision: verify::Decision, step: Step, change: impl FnOnce(&mut Draft)) {
    assert_fails(&Platform::new(change).verify(), decision, step);
}
