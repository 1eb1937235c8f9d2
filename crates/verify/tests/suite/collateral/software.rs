//! Collateral of the software platform, and a TCB recovery on it.

use std::time::Duration;

use sgx::Collateral;
use software_platform::{
    CollateralIssue, Deployment, MachineSecret, SoftwarePlatform, SubjectNames, TcbLevel,
    TcbStatus as Issued,
};
use time::OffsetDateTime;
use verify::{
    CollateralError, PckCa, PckCertificate, TcbStatus, TrustedRoots, check_pck_certificate,
    check_pck_crl, check_tcb_info,
};

use crate::collateral::pieces::{
    ENCLAVE_IDENTITY, PCK_CERTIFICATE, PCK_CRL, Piece, ROOT_CA_CRL, TCB_INFO, answer,
};
use crate::common::at;

const CREATED: u64 = 1_750_000_000;
const NOW: u64 = CREATED + 1_000_000;

#[test]
fn everything_is_accepted_for_its_thirty_days() {
    let day = Duration::from_secs(86_400);
    for names in [SubjectNames::Software, SubjectNames::Intel] {
        for piece in pieces(&platform(7, names)) {
            let name = piece.name;
            let validity = piece.check().unwrap_or_else(|error| panic!("{name}: {error}"));
            let days = if name == "PCK" { 7 * 365 } else { 30 };
            assert_eq!(validity.until, validity.from + day * days, "{name}");
            let early = piece.check_at(validity.from - day).unwrap_err();
            assert!(matches!(early, CollateralError::NotYetValid { .. }), "{name}: {early}");
            let late = piece.check_at(validity.until + day).unwrap_err();
            assert!(matches!(late, CollateralError::Expired { .. }), "{name}: {late}");
        }
    }
}

#[test]
fn items_of_an_expired_issuer_are_expired() {
    let platform = platform(7, SubjectNames::Software);
    for (name, in_time, too_late) in
        [("TCB info", 6, 8), ("QE identity", 6, 8), ("PCK CRL", 14, 16)]
    {
        let check_after = |years: u64| {
            let pieces = pieces_of(&platform, NOW + years * 365 * 86_400);
            pieces.iter().find(|piece| piece.name == name).unwrap().check()
        };
        assert!(check_after(in_time).is_ok());
        let error = check_after(too_late).unwrap_err();
        let is_chain = |what: &str| what.starts_with("the issuer chain of");
        assert!(
            matches!(&error, CollateralError::Expired { what, .. } if is_chain(what)),
            "{name}: {error}"
        );
    }
}

#[test]
fn nothing_is_accepted_under_another_deployments_root() {
    let other = roots(&platform(8, SubjectNames::Intel));
    for piece in pieces(&platform(7, SubjectNames::Intel)) {
        for roots in [other.clone(), TrustedRoots::intel()] {
            let error = Piece { roots, ..piece.clone() }.check().unwrap_err();
            let refused = matches!(
                error,
                CollateralError::UntrustedRoot { .. } | CollateralError::WronglySigned { .. }
            );
            assert!(refused, "{}: {error}", piece.name);
        }
    }
}

#[test]
fn the_pck_certificate_is_the_platforms() {
    let platform = platform(7, SubjectNames::Software);
    let (subject, pck) = (platform.pck_subject(), pck(&platform));
    assert_eq!(pck.ca, PckCa::Platform);
    assert_eq!(
        (pck.extension.ppid, pck.extension.fmspc, pck.extension.pce_id),
        (subject.ppid, subject.fmspc, subject.pce_id)
    );
    assert_eq!((pck.extension.cpu_svn, pck.extension.pce_svn), (subject.cpu_svn, subject.pce_svn));
    assert_eq!(pck.extension.tcb_components, subject.cpu_svn.0);
    assert_eq!(pck.serial, platform.pck_certificate().serial());
}

#[test]
fn a_tcb_recovery_shows_what_is_short() {
    let platform = platform(7, SubjectNames::Software);
    let pck = pck(&platform);
    let assess = |issue: &CollateralIssue| {
        let c = platform.collateral(issue).unwrap();
        let body = answer("tcbInfo", &c.tcb_info, &c.tcb_info_signature);
        let chain = &c.tcb_info_issuer_chain;
        let info = check_tcb_info(&body, chain, &roots(&platform), at(NOW)).unwrap();
        info.assess(&pck.extension.tcb_components, pck.extension.pce_svn)
    };
    let mut issue = issue(&platform);
    let before = assess(&issue);
    assert_eq!(before.reached.unwrap().status, TcbStatus::UpToDate);
    assert_eq!(before.shortfalls, []);
    let mut raised = TcbLevel { status: Issued::UpToDate, ..issue.tcb_levels[0].clone() };
    raised.cpu_svn.0[2] += 3;
    raised.pce_svn += 1;
    issue.tcb_levels[0].status = Issued::OutOfDate;
    issue.tcb_levels[0].advisory_ids = vec!["SOFTWARE-SA-1".to_owned()];
    issue.tcb_levels.insert(0, raised);
    let after = assess(&issue);
    let reached = after.reached.unwrap();
    assert_eq!(reached.status, TcbStatus::OutOfDate);
    assert_eq!(reached.advisory_ids, ["SOFTWARE-SA-1"]);
    let has = pck.extension.tcb_components[2];
    let shortfalls: Vec<String> = after.shortfalls.iter().map(ToString::to_string).collect();
    let component = format!("TCB component 3 is {has}, needs {}", has + 3);
    let pce = format!("PCESVN is {}, needs {}", pck.extension.pce_svn, pck.extension.pce_svn + 1);
    assert_eq!(shortfalls, [component, pce]);
}

#[test]
fn a_revoked_pck_certificate_is_on_the_crl() {
    let platform = platform(7, SubjectNames::Software);
    let serial = pck(&platform).serial;
    let revokes = |issue: &CollateralIssue| {
        let c = platform.collateral(issue).unwrap();
        let roots = roots(&platform);
        let crl = check_pck_crl(&c.pck_crl, &c.pck_crl_issuer_chain, &roots, at(NOW)).unwrap();
        crl.revokes(&serial)
    };
    let mut issue = issue(&platform);
    assert!(!revokes(&issue));
    issue.revoked_pck_serials.push(*platform.pck_certificate().serial());
    assert!(revokes(&issue));
}

fn platform(seed: u8, names: SubjectNames) -> SoftwarePlatform {
    let created = OffsetDateTime::from_unix_timestamp(CREATED as i64).unwrap();
    let deployment = Deployment::from_seed([seed; 32], names, created).unwrap();
    SoftwarePlatform::new(deployment, MachineSecret::from_bytes([1; 32])).unwrap()
}

fn roots(platform: &SoftwarePlatform) -> TrustedRoots {
    TrustedRoots::parse(platform.root_certificate().der()).unwrap()
}

fn issue(platform: &SoftwarePlatform) -> CollateralIssue {
    issue_at(platform, NOW)
}

fn issue_at(platform: &SoftwarePlatform, now: u64) -> CollateralIssue {
    let now = OffsetDateTime::from_unix_timestamp(now as i64).unwrap();
    platform.deployment().up_to_date(&platform.pck_subject(), now)
}

fn pck(platform: &SoftwarePlatform) -> PckCertificate {
    let certificate = platform.pck_certificate();
    let (leaf, chain) = (certificate.leaf().pem(), certificate.issuer_chain_pem());
    check_pck_certificate(leaf.as_bytes(), chain, &roots(platform), at(NOW)).unwrap()
}

fn pieces(platform: &SoftwarePlatform) -> Vec<Piece> {
    pieces_of(platform, NOW)
}

fn pieces_of(platform: &SoftwarePlatform, now: u64) -> Vec<Piece> {
    let Collateral {
        pck_crl_issuer_chain: ca_chain,
        tcb_info_issuer_chain: signing_chain,
        pck_crl,
        root_ca_crl,
        tcb_info,
        tcb_info_signature,
        qe_identity,
        qe_identity_signature,
        ..
    } = platform.collateral(&issue_at(platform, now)).unwrap();
    let leaf = platform.pck_certificate().leaf().pem().as_bytes().to_vec();
    let tcb_info = answer("tcbInfo", &tcb_info, &tcb_info_signature);
    let qe_identity = answer("enclaveIdentity", &qe_identity, &qe_identity_signature);
    let piece = |name, body, chain: &str, check| Piece {
        name,
        body,
        issuer_chain: chain.to_owned(),
        check,
        roots: roots(platform),
        now: at(now),
    };
    vec![
        piece("PCK", leaf, &ca_chain, PCK_CERTIFICATE),
        piece("PCK CRL", pck_crl, &ca_chain, PCK_CRL),
        piece("root CRL", root_ca_crl, "", ROOT_CA_CRL),
        piece("TCB info", tcb_info, &signing_chain, TCB_INFO),
        piece("QE identity", qe_identity, &signing_chain, ENCLAVE_IDENTITY),
    ]
}
