//! The TCB status of platforms: exit codes for monitoring, and the component that is short.

use serde_json::Value;

use super::Site;
use crate::support::{RunResult, eventually};

/// The exit code of `collateral status`, and its output.
fn status(site: &Site) -> (i32, Value) {
    let ended = site.run("status --output json");
    (ended.code.unwrap(), ended.json())
}

/// Refetches until the status is this.
fn comes_to(site: &Site, code: i32) -> Value {
    eventually(&format!("exit code {code}"), || {
        site.run("fetch --force");
        status(site).0 == code
    });
    status(site).1
}

#[test]
fn status_names_outdated_components_until_the_update() {
    let site = Site::fetched();
    let (code, good) = status(&site);
    assert_eq!((code, good["condition"].as_str()), (0, Some("good")), "{good}");
    assert_eq!(good["platforms"][0]["tcb"]["status"], "UpToDate");
    assert_eq!(good["platforms"][0]["pck_certificate"]["revoked"], false);
    assert_eq!(good["problems"], Value::Array(Vec::new()));
    assert!(good["sources"][0]["reachable"].is_null());

    let raised = site.tcb("--raise");
    let short = comes_to(&site, 6);
    let tcb = &short["platforms"][0]["tcb"];
    assert_eq!((&tcb["status"], &short["condition"]), (&"OutOfDate".into(), &"out-of-date".into()));
    assert_eq!(tcb["advisory_ids"], raised["advisory_ids"]);
    assert_eq!(tcb["tcb_evaluation_data_number"], 2);
    let shortfalls = tcb["shortfalls"].as_array().unwrap();
    assert_eq!(shortfalls.len(), 1);
    for key in ["component", "type", "has", "needs"] {
        assert_eq!(shortfalls[0][key], raised["shortfall"][key], "{key}");
    }
    let text = site.run("status").with_code(6).stdout;
    for part in ["OUT OF DATE\n", "TCB component 1 (", "Early Microcode Update) is 72, needs 73"] {
        assert!(text.contains(part), "{part}: {text}");
    }

    site.tcb("--update");
    eventually("the new certificate", || {
        site.machine.quote("02");
        site.run("fetch --quote q.bin").code == Some(0) && status(&site).0 == 0
    });
    // The certificate from before the update is still there, and does not matter any more.
    let (_, updated) = status(&site);
    assert_eq!(updated["cache"]["items"], 6);
    assert_eq!(updated["platforms"].as_array().unwrap().len(), 1);
}

/// The finding of `check` on the TCB, with or without the cache: status and value.
fn checked(site: &Site, cache: &str) -> (Value, Value) {
    let mut check = site.machine.command("check --socket aesm.socket --output json");
    check.env("QUOTE_HELPER_COLLATERAL_CACHE_DIR", cache);
    check.env("QUOTE_HELPER_COLLATERAL_TRUSTED_ROOT", "root.pem");
    let diagnosis = RunResult::of(&mut check).json();
    let sections = diagnosis["sections"].as_array().unwrap().iter();
    let mut findings = sections.flat_map(|section| section["findings"].as_array().unwrap());
    let tcb = findings.find(|finding| finding["name"] == "tcb").unwrap();
    (tcb["status"].clone(), tcb["value"].clone())
}

#[test]
fn check_reads_the_tcb_status_from_the_cache() {
    let site = Site::fetched();
    assert_eq!(checked(&site, "cache"), ("ok".into(), "UpToDate".into()));
    assert_eq!(checked(&site, "empty"), ("skipped".into(), Value::Null));
    site.tcb("--raise");
    comes_to(&site, 6);
    assert_eq!(checked(&site, "cache"), ("warning".into(), "OutOfDate".into()));
    site.tcb("--reset");
    site.tcb("--revoke");
    comes_to(&site, 7);
    assert_eq!(checked(&site, "cache"), ("warning".into(), "Revoked".into()));
}

#[test]
fn revocation_is_the_worst_status() {
    let site = Site::fetched();
    site.tcb("--revoke");
    let revoked = comes_to(&site, 7);
    assert_eq!(revoked["platforms"][0]["pck_certificate"]["revoked"], true);
    assert_eq!(revoked["condition"], "invalid");

    let site = Site::fetched();
    site.tcb("--revoke level");
    assert_eq!(comes_to(&site, 7)["platforms"][0]["tcb"]["status"], "Revoked");
}

#[test]
fn an_upcoming_tcb_recovery_is_a_warning() {
    let site = Site::fetched();
    site.tcb("--raise");
    let platform = site.platform();
    eventually("the newest evaluation", || {
        // Fresh items stay, and so does the standard evaluation.
        site.run(&format!("fetch {platform} --early")).with_code(0);
        let (code, _) = status(&site);
        if code != 5 {
            std::fs::remove_file(early(&site)).unwrap();
        }
        code == 5
    });
    let (_, status) = status(&site);
    assert_eq!(status["platforms"][0]["early"]["status"], "OutOfDate");
    assert_eq!(status["platforms"][0]["tcb"]["status"], "UpToDate");
    let text = site.run("status").with_code(5).stdout;
    assert!(text.contains("will be OutOfDate, by TCB evaluation 2"), "{text}");
}

/// The file of the TCB info of the newest evaluation.
fn early(site: &Site) -> std::path::PathBuf {
    let name = site.file("tcb-info-sgx").file_name().unwrap().to_str().unwrap().to_owned();
    let name = name.replace("standard", "early");
    site.machine.path("cache").join(name)
}

#[test]
fn missing_items_are_named_with_the_command_that_fetches_them() {
    let site = Site::fetched();
    for (file, what) in
        [("tcb-info", "TCB info (SGX) of FMSPC"), ("pck-crl", "PCK CRL of platform CA")]
    {
        std::fs::remove_file(site.file(file)).unwrap();
        let text = site.run("status").with_code(5).stdout;
        for part in [what, &site.platform(), "unknown"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        site.run("fetch --quote q.bin").with_code(0);
    }
    let (code, probed) = {
        let ended = site.run("status --probe --output json");
        (ended.code, ended.json())
    };
    assert_eq!((code, &probed["sources"][0]["reachable"]), (Some(0), &true.into()));
}
