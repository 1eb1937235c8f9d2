//! A deployment follows from seed, names and creation time, and is stored without loss.

use software_platform::{Deployment, PcsUrl, PkiError, SubjectNames};
use time::Duration;
use time::macros::datetime;

use crate::by_hand::{CREATED, NOW, SUBJECT, deployment, pck_certificate};

/// Stored deployments name their root by its SHA-256: a program that makes another root from the
/// same seed cannot read them.
#[test]
fn the_root_of_a_seed_never_changes() {
    for (names, root) in [
        (
            SubjectNames::Software,
            "451ccb13bddf5bb9fcd758779eb48daa819546dad8a68a96887a6404c9992c7c",
        ),
        (SubjectNames::Intel, "0a5ee062b7b86de1eaa85163a2f922bb07a810075b34b18b8d059cfb49bf7f41"),
    ] {
        let kept = serde_json::to_value(deployment(names)).unwrap();
        assert_eq!(kept["root_sha256"], root);
    }
}

/// Files of earlier versions have no URL, and earlier versions reject unknown fields.
#[test]
fn the_default_url_of_the_pcs_is_not_in_the_file() {
    let kept = serde_json::to_value(deployment(SubjectNames::Software)).unwrap();
    assert!(kept.get("pcs_url").is_none());
    let url: PcsUrl = "http://pcs.test".parse().unwrap();
    let names = SubjectNames::Software;
    let with_url = Deployment::with_pcs_url([7; 32], names, CREATED, url.clone()).unwrap();
    let mut kept = serde_json::to_value(&with_url).unwrap();
    let read: Deployment = serde_json::from_value(kept.clone()).unwrap();
    assert_eq!(read.pcs_url(), &url);
    assert_eq!(read.root_certificate(), with_url.root_certificate());
    kept["pcs_url"] = "http://other.test".into();
    assert!(serde_json::from_value::<Deployment>(kept).is_err(), "another URL, another root");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for names in [SubjectNames::Software, SubjectNames::Intel] {
        let (one, other) = (deployment(names), deployment(names));
        let issue = one.up_to_date(&SUBJECT, NOW);
        assert_eq!(one.root_certificate(), other.root_certificate());
        assert_eq!(pck_certificate(&one), pck_certificate(&other));
        assert_eq!(one.collateral(&issue).unwrap(), other.collateral(&issue).unwrap());
    }
}

#[test]
fn seed_names_and_creation_time_each_give_another_root() {
    let names = SubjectNames::Software;
    let roots = [
        deployment(names),
        deployment(SubjectNames::Intel),
        Deployment::from_seed([8; 32], names, CREATED).unwrap(),
        Deployment::from_seed([7; 32], names, CREATED + Duration::SECOND).unwrap(),
        Deployment::generate(names, CREATED).unwrap(),
        Deployment::generate(names, CREATED).unwrap(),
    ]
    .map(|deployment| deployment.root_certificate().der().to_vec());
    for (index, root) in roots.iter().enumerate() {
        assert!(!roots[..index].contains(root), "root {index} is there twice");
    }
}

#[test]
fn a_stored_deployment_is_read_back() {
    let now = CREATED + Duration::milliseconds(1234);
    let deployment = Deployment::generate(SubjectNames::Software, now).unwrap();
    let kept = serde_json::to_string(&deployment).unwrap();
    let back: Deployment = serde_json::from_str(&kept).unwrap();
    assert_eq!(back.root_certificate(), deployment.root_certificate());
    assert_eq!(pck_certificate(&back), pck_certificate(&deployment));
}

#[test]
fn a_damaged_deployment_is_recognised() {
    let kept = serde_json::to_string(&deployment(SubjectNames::Software)).unwrap();
    for (part, damaged, complaint) in [
        ("0707", "0607", "damaged"),
        ("software", "intel", "damaged"),
        ("2026", "2025", "damaged"),
        ("\"root_sha256\":\"", "\"root_sha256\":\"00", "length"),
        ("\"version\":1", "\"version\":2", "version 2"),
        ("{", "{\"more\":0,", "unknown field `more`"),
        ("2026", "1926", "1970"),
    ] {
        assert!(kept.contains(part), "{part} is not in {kept}");
        let refusal = serde_json::from_str::<Deployment>(&kept.replacen(part, damaged, 1));
        let error = refusal.unwrap_err().to_string();
        assert!(error.contains(complaint), "{part} -> {damaged}: {error}");
    }
}

#[test]
fn debug_output_has_no_secret() {
    let text = format!("{:?}", deployment(SubjectNames::Software));
    assert!(text.contains("Software"));
    assert!(!text.contains("seed") && !text.contains("7, 7"), "{text}");
}

#[test]
fn the_creation_time_lies_within_the_life_of_the_root() {
    for created in [datetime!(1969-12-31 23:59:59 UTC), datetime!(2049-12-31 23:59:59 UTC)] {
        let refusal = Deployment::from_seed([7; 32], SubjectNames::Software, created);
        assert!(matches!(refusal, Err(PkiError::Created(time)) if time == created));
    }
}
