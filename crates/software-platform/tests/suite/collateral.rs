//! Quotes, certificates and collateral, as verified by `dcap-qvl`.

use dcap_qvl::QuoteCollateralV3;
use dcap_qvl::verify::{QuoteVerifier, VerifiedReport};
use software_platform::{CollateralIssue, Deployment, PkiError, SubjectNames, TcbLevel, TcbStatus};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use crate::by_hand::{CREATED, NOW, SUBJECT, deployment, pck_certificate, quote};

#[test]
fn accepts_under_the_root_of_the_deployment() {
    for names in [SubjectNames::Software, SubjectNames::Intel] {
        let deployment = deployment(names);
        let issue = deployment.up_to_date(&SUBJECT, NOW);
        let report = verify(&deployment, &issue, NOW).unwrap();
        assert_eq!(report.status, "UpToDate");
        assert_eq!(report.ppid, SUBJECT.ppid);
        assert!(report.advisory_ids.is_empty());
    }
}

#[test]
fn refuses_under_a_foreign_root() {
    let (ours, quote, collateral) = accepted();
    let other = Deployment::from_seed([8; 32], SubjectNames::Software, CREATED).unwrap();
    let now = seconds(NOW);
    assert!(verifier(&ours).verify(&quote, &collateral, now).is_ok());
    assert!(verifier(&other).verify(&quote, &collateral, now).is_err());
    assert!(QuoteVerifier::new_prod().verify(&quote, &collateral, now).is_err());
}

#[test]
fn refuses_collateral_before_its_issue_and_after_30_days() {
    let (deployment, quote, collateral) = accepted();
    let verdict = |time| verifier(&deployment).verify(&quote, &collateral, seconds(time));
    let last = NOW + Duration::days(30) - Duration::SECOND;
    assert!(verdict(NOW).is_ok());
    assert!(verdict(NOW - Duration::SECOND).is_err());
    assert!(verdict(last).is_ok());
    assert!(verdict(last + Duration::seconds(2)).is_err());
}

#[test]
fn refuses_changed_collateral() {
    let (deployment, quote, collateral) = accepted();
    let verdict = |change: fn(&mut QuoteCollateralV3)| {
        let mut changed = collateral.clone();
        change(&mut changed);
        verifier(&deployment).verify(&quote, &changed, seconds(NOW))
    };
    assert!(verdict(|_| ()).is_ok());
    assert!(verdict(|c| c.tcb_info = c.tcb_info.replacen("\"svn\":4", "\"svn\":3", 1)).is_err());
    assert!(verdict(|c| c.qe_identity = c.qe_identity.replacen(":8", ":7", 1)).is_err());
    assert!(verdict(|c| *c.pck_crl.last_mut().unwrap() ^= 1).is_err());
    assert!(verdict(|c| *c.root_ca_crl.last_mut().unwrap() ^= 1).is_err());
}

#[test]
fn refuses_a_revoked_pck() {
    let deployment = deployment(SubjectNames::Software);
    let mut issue = deployment.up_to_date(&SUBJECT, NOW);
    issue.revoked_pck_serials = vec![[0x55; 20]];
    assert!(verify(&deployment, &issue, NOW).is_ok());
    issue.revoked_pck_serials.push(*pck_certificate(&deployment).serial());
    let error = verify(&deployment, &issue, NOW).unwrap_err();
    assert!(error.contains("CertRevoked"), "{error}");
}

#[test]
fn reports_a_platform_below_a_raised_tcb() {
    for (status, text) in [
        (TcbStatus::OutOfDate, "OutOfDate"),
        (TcbStatus::OutOfDateConfigurationNeeded, "OutOfDateConfigurationNeeded"),
        (TcbStatus::SwHardeningNeeded, "SWHardeningNeeded"),
        (TcbStatus::ConfigurationNeeded, "ConfigurationNeeded"),
        (TcbStatus::ConfigurationAndSwHardeningNeeded, "ConfigurationAndSWHardeningNeeded"),
    ] {
        let deployment = deployment(SubjectNames::Software);
        let report = verify(&deployment, &raised(&deployment, status), NOW).unwrap();
        assert_eq!(report.status, text);
        assert_eq!(report.advisory_ids, ["INTEL-SA-00001", "INTEL-SA-00002"]);
    }
}

#[test]
fn refuses_a_revoked_tcb() {
    let deployment = deployment(SubjectNames::Software);
    let error = verify(&deployment, &raised(&deployment, TcbStatus::Revoked), NOW).unwrap_err();
    assert!(error.contains("Revoked"), "{error}");
}

#[test]
fn refuses_a_platform_below_every_level() {
    let deployment = deployment(SubjectNames::Software);
    let mut issue = raised(&deployment, TcbStatus::OutOfDate);
    issue.tcb_levels.truncate(1);
    let error = verify(&deployment, &issue, NOW).unwrap_err();
    assert!(error.contains("No matching TCB level"), "{error}");
}

#[test]
fn refuses_tcb_info_of_another_kind_of_platform() {
    let deployment = deployment(SubjectNames::Software);
    let mut issue = deployment.up_to_date(&SUBJECT, NOW);
    issue.fmspc = [9; 6];
    let error = verify(&deployment, &issue, NOW).unwrap_err();
    assert!(error.contains("Fmspc"), "{error}");
}

#[test]
fn is_not_issued_at_a_time_that_cannot_be_written() {
    let deployment = deployment(SubjectNames::Software);
    for now in [datetime!(1969-12-31 23:59:59 UTC), datetime!(9999-12-31 00:00:00 UTC)] {
        let refusal = deployment.collateral(&deployment.up_to_date(&SUBJECT, now));
        assert!(matches!(refusal, Err(PkiError::Issued(time)) if time == now));
    }
}

#[test]
fn is_written_as_intel_writes_it() {
    let deployment = deployment(SubjectNames::Software);
    let issue = raised(&deployment, TcbStatus::OutOfDate);
    let collateral = deployment.collateral(&issue).unwrap();
    let tcb_info: serde_json::Value = serde_json::from_str(&collateral.tcb_info).unwrap();
    assert!(collateral.tcb_info.starts_with(
        "{\"id\":\"SGX\",\"version\":3,\"issueDate\":\"2026-03-01T00:00:00Z\",\
         \"nextUpdate\":\"2026-03-31T00:00:00Z\",\"fmspc\":\"00906ED500FF\",\"pceId\":\"0000\",\
         \"tcbType\":0,\"tcbEvaluationDataNumber\":2,\"tcbLevels\":[{\"tcb\":{\"sgxtcbcomponents\":\
         [{\"svn\":5,\"category\":\"BIOS\",\"type\":\"Early Microcode Update\"},{\"svn\":8},"
    ));
    assert!(tcb_info["tcbLevels"][0].get("advisoryIDs").is_none());
    assert_eq!(tcb_info["tcbLevels"][1]["tcb"]["pcesvn"], 13);
    assert_eq!(
        collateral.qe_identity,
        "{\"id\":\"QE\",\"version\":2,\"issueDate\":\"2026-03-01T00:00:00Z\",\
         \"nextUpdate\":\"2026-03-31T00:00:00Z\",\"tcbEvaluationDataNumber\":2,\
         \"miscselect\":\"00000000\",\"miscselectMask\":\"FFFFFFFF\",\
         \"attributes\":\"11000000000000000000000000000000\",\
         \"attributesMask\":\"FBFFFFFFFFFFFFFF0000000000000000\",\
         \"mrsigner\":\"8C4F5775D796503E96137F77C68A829A0056AC8DED70140B081B094490C57BFF\",\
         \"isvprodid\":1,\"tcbLevels\":[{\"tcb\":{\"isvsvn\":8},\
         \"tcbDate\":\"2026-01-31T12:00:00Z\",\"tcbStatus\":\"UpToDate\"}]}"
    );
}

/// An issue after a TCB recovery: the platform has this status, one above it is up to date.
fn raised(deployment: &Deployment, status: TcbStatus) -> CollateralIssue {
    let mut cpu_svn = SUBJECT.cpu_svn;
    cpu_svn.0[0] = 5;
    let recovered = TcbLevel {
        cpu_svn,
        pce_svn: SUBJECT.pce_svn,
        date: NOW,
        status: TcbStatus::UpToDate,
        advisory_ids: Vec::new(),
    };
    let mut issue = deployment.up_to_date(&SUBJECT, NOW);
    for level in &mut issue.tcb_levels {
        level.status = status;
        level.advisory_ids = vec!["INTEL-SA-00001".to_owned(), "INTEL-SA-00002".to_owned()];
    }
    issue.tcb_levels.insert(0, recovered);
    issue.tcb_evaluation_data_number = 2;
    issue
}

fn accepted() -> (Deployment, Vec<u8>, QuoteCollateralV3) {
    let deployment = deployment(SubjectNames::Software);
    let quote = quote(&pck_certificate(&deployment));
    let collateral = issued(&deployment, &deployment.up_to_date(&SUBJECT, NOW));
    (deployment, quote, collateral)
}

fn verify(
    deployment: &Deployment,
    issue: &CollateralIssue,
    time: OffsetDateTime,
) -> Result<VerifiedReport, String> {
    let quote = quote(&pck_certificate(deployment));
    let collateral = issued(deployment, issue);
    let verdict = verifier(deployment).verify(&quote, &collateral, seconds(time));
    verdict.map_err(|error| format!("{error:#}"))
}

fn verifier(deployment: &Deployment) -> QuoteVerifier {
    QuoteVerifier::new(deployment.root_certificate().der().to_vec())
}

fn issued(deployment: &Deployment, issue: &CollateralIssue) -> QuoteCollateralV3 {
    let collateral = deployment.collateral(issue).unwrap();
    serde_json::from_str(&serde_json::to_string(&collateral).unwrap()).unwrap()
}

fn seconds(time: OffsetDateTime) -> u64 {
    time.unix_timestamp().try_into().unwrap()
}
