//! Collateral in one file, for a machine without a network that checks it.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use super::{ITEMS, Site, outcomes};
use crate::hostile_text::{HOSTILE, certificate, controls_nothing, is_harmless};
use crate::support::{RunResult, eventually};

/// A site with a verifier's collateral in the file `bundle`.
fn exported() -> Site {
    let site = Site::fetched();
    let ended = site.run("export bundle").with_code(0);
    ended.says(&["exported 5 items to bundle"]);
    site
}

/// The lines of the bundle.
fn lines(site: &Site) -> Vec<Value> {
    let text = String::from_utf8(site.machine.read("bundle")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn write(site: &Site, lines: &[Value]) {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    site.machine.write("bundle", text);
}

/// The line with the item that begins with this.
fn line<'a>(lines: &'a mut [Value], kind: &str) -> &'a mut Value {
    lines.iter_mut().find(|line| line["item"].get(kind).is_some()).unwrap()
}

#[test]
fn imported_collateral_verifies_quotes_offline() {
    let site = exported();
    let imported = site.offline("import bundle --output json", "other").with_code(0).json();
    assert_eq!(outcomes(&imported["items"]), ["kept"; ITEMS]);
    let status = site.offline("status", "other").with_code(0).stdout;
    assert!(status.contains("UpToDate"), "{status}");

    let verify = "verify q.bin --trusted-root root.pem";
    let mut offline = site.machine.command(verify);
    offline.env("QUOTE_HELPER_COLLATERAL_CACHE_DIR", "other");
    offline.env("QUOTE_HELPER_COLLATERAL_LOCAL_ONLY", "true");
    RunResult::of(&mut offline).with_code(0);
    offline.env("QUOTE_HELPER_COLLATERAL_CACHE_DIR", "nothing-here");
    let text = RunResult::of(&mut offline).with_code(4).stdout;
    assert!(text.contains("there is no source to ask"), "{text}");
}

#[test]
fn bundles_go_through_pipes() {
    let site = exported();
    let bundle = site.run("export -").with_code(0).stdout;
    assert_eq!(bundle.as_bytes(), site.machine.read("bundle"));
    let line = "collateral import - --cache-dir other --trusted-root root.pem";
    let mut import = site.machine.command(line).stdin(Stdio::piped()).spawn().unwrap();
    import.stdin.take().unwrap().write_all(bundle.as_bytes()).unwrap();
    assert!(import.wait().unwrap().success());
    assert_eq!(site.list("other")["items"].as_array().unwrap().len(), ITEMS);
}

#[test]
fn records_that_are_not_newer_are_not_imported() {
    let site = exported();
    let again = site.run("import bundle --output json").with_code(0).json();
    assert_eq!(outcomes(&again["items"]), ["had-newer"; ITEMS]);

    site.tcb("--raise");
    eventually("OutOfDate", || {
        site.run("fetch --force").with_code(0);
        site.run("status").code == Some(6)
    });
    // This has no valid signature.
    let mut lines = lines(&site);
    for line in &mut lines[1..] {
        line["fetched"] = json!("2099-01-01T00:00:00Z");
    }
    write(&site, &lines);
    let imported = site.run("import bundle --output json").with_code(0).json();
    let items = imported["items"].as_array().unwrap();
    let tcb_info = items.iter().find(|it| it["name"].as_str().unwrap().starts_with("tcb-info"));
    assert_eq!(tcb_info.unwrap()["outcome"], "had-newer");
    site.run("status").with_code(6);
}

#[test]
fn the_evaluation_number_decides_which_record_is_newer() {
    let site = Site::fetched();
    site.tcb("--raise");
    eventually("OutOfDate", || {
        site.run("fetch --force").with_code(0);
        site.run("status").code == Some(6)
    });
    // Items fetched before the TCB info are of this evaluation now, too.
    site.run("fetch --force").with_code(0);
    site.tcb("--reset");
    let platform = site.platform();
    let other = site.flags.replace("--cache-dir cache", "--cache-dir other");
    let records = |cache: &str| {
        let entries = std::fs::read_dir(site.machine.path(cache)).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "json"))
    };
    eventually("UpToDate", || {
        // A cache that has seen the recovery would not go back.
        let _ = std::fs::remove_dir_all(site.machine.path("other"));
        site.machine.succeed(&format!("collateral fetch {platform} --force {other}"));
        let status = site.offline("status --output json", "other").json();
        // There is no PCK certificate, and nothing else is wrong.
        let [problem] = &status["problems"].as_array().unwrap()[..] else { return false };
        problem["detail"].as_str().unwrap().starts_with("no platform was judged")
            && !records("other").any(|path| {
                let body = std::fs::read_to_string(path).unwrap();
                body.contains("tcbEvaluationDataNumber\\\":2")
            })
    });
    site.offline("export bundle", "other").with_code(0);
    let imported = site.run("import bundle --output json").with_code(0).json();
    // The CRLs, TCB info, the identity.
    assert_eq!(outcomes(&imported["items"]).len(), 4);
    for item in imported["items"].as_array().unwrap() {
        let has_evaluation = !item["name"].as_str().unwrap().contains("crl");
        assert_eq!(item["outcome"] == "had-newer", has_evaluation, "{imported}");
    }
    site.run("status").with_code(6);

    // The newest evaluation seen is remembered without the records.
    records("cache").for_each(|path| std::fs::remove_file(path).unwrap());
    let imported = site.run("import bundle --output json").with_code(1).json();
    for item in imported["items"].as_array().unwrap() {
        let has_evaluation = !item["name"].as_str().unwrap().contains("crl");
        assert_eq!(item.to_string().contains("it is older (number 1"), has_evaluation, "{item}");
    }
}

#[test]
fn invalid_records_are_refused_and_the_rest_is_imported() {
    let site = exported();
    let mut lines = lines(&site);
    let body =
        line(&mut lines, "tcb_info")["body"].as_str().unwrap().replace("UpToDate", "Revoked");
    line(&mut lines, "tcb_info")["body"] = body.into();
    let crl = line(&mut lines, "pck_crl")["body_hex"].clone();
    line(&mut lines, "pck_crl")["item"] = json!({ "pck_crl": "processor" });
    for line in &mut lines[1..] {
        if line["item"] == "root_ca_crl" {
            line["body_hex"] = crl.clone();
        }
    }
    write(&site, &lines);
    let ended = site.offline("import bundle --output json", "other").with_code(1);
    ended.says(&["not all of bundle could be imported"]);
    let imported = ended.json();
    let reasons: Vec<_> = imported["items"].as_array().unwrap().iter().collect();
    for (name, reason) in [
        ("tcb-info", "has a wrong signature"),
        ("pck-crl-processor", "it is of another PCK CA: asked for processor, got platform"),
        ("root-ca-crl", "is not signed by a trusted root"),
    ] {
        let item = reasons.iter().find(|it| it["name"].as_str().unwrap().starts_with(name));
        let item = item.unwrap_or_else(|| panic!("{name}"));
        assert_eq!(item["outcome"], "refused", "{item}");
        assert!(item["reason"].as_str().unwrap().contains(reason), "{item}");
    }
    assert_eq!(site.list("other")["items"].as_array().unwrap().len(), 2);
}

#[test]
fn bundles_of_another_root_are_rejected() {
    let site = exported();
    let ended = site.machine.run("collateral import bundle --cache-dir other").with_code(1);
    assert_eq!(ended.stdout.matches("REFUSED").count(), ITEMS, "{}", ended.stdout);
    assert_eq!(site.list("other")["items"].as_array().unwrap().len(), 0);
}

#[test]
fn valid_records_of_a_damaged_bundle_are_imported() {
    let site = exported();
    let whole = String::from_utf8(site.machine.read("bundle")).unwrap();
    let rows: Vec<&str> = whole.lines().collect();
    let half = &whole[..whole.len() - rows[ITEMS].len() / 2];
    let damaged = whole.replace(rows[2], &rows[2].replace("issuer_chain", "chain"));
    for (bundle, kept, reason) in [
        (half.to_owned(), ITEMS - 1, "its record 5 is damaged"),
        (rows[..3].join("\n") + "\n", 2, "it is cut off: it has 2 of its 5 records"),
        (format!("{whole}\n"), ITEMS, "it has more than its 5 records"),
        (damaged, ITEMS - 1, "its record 2 is damaged"),
        (rows[0].to_owned() + "\n" + &"x".repeat(10 << 20), 0, "more than 9437184 bytes"),
    ] {
        let _ = std::fs::remove_dir_all(site.machine.path("other"));
        site.machine.write("bundle", bundle);
        let ended = site.offline("import bundle", "other").with_code(1);
        assert!(ended.stdout.contains(reason), "{reason}: {}", ended.stdout);
        assert_eq!(site.list("other")["items"].as_array().unwrap().len(), kept, "{reason}");
    }
    let newer = whole.replacen("\"version\":1", "\"version\":2", 1);
    for (bundle, reason) in [
        ("", "it is not a collateral bundle"),
        ("{}", "it is not a collateral bundle"),
        (newer.as_str(), "it is a bundle of version 2"),
    ] {
        site.machine.write("bundle", bundle);
        site.offline("import bundle", "other").with_code(1).says(&["cannot import bundle", reason]);
    }
    site.offline("import missing", "other").with_code(1).says(&["cannot import missing"]);
}

#[test]
fn bundles_are_written_atomically() {
    let site = exported();
    let before = site.machine.read("bundle");
    let limited = format!(
        "trap '' XFSZ; ulimit -f 1; exec {} collateral export bundle {}",
        env!("CARGO_BIN_EXE_quote-helper"),
        site.flags
    );
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &limited]).current_dir(site.machine.path("")).env_clear();
    shell.stdout(Stdio::piped()).stderr(Stdio::piped());
    crate::support::RunResult::of(&mut shell).with_code(1).says(&["cannot write bundle"]);
    assert_eq!(site.machine.read("bundle"), before);
    site.run("export no/such/directory").with_code(1).says(&["cannot write no/such/directory"]);
}

#[test]
fn the_subject_of_a_certificate_controls_no_terminal() {
    let site = exported();
    let mut lines = lines(&site);
    line(&mut lines, "tcb_info")["issuer_chain"] = certificate().repeat(2).into();
    write(&site, &lines);
    let ended = site.offline("import bundle", "other").with_code(1);
    assert!(ended.stdout.contains("REFUSED"), "{}", ended.stdout);
    // A part is escaped as names in certificates are.
    controls_nothing(&ended.stdout);
}

#[test]
fn the_source_of_a_record_controls_no_terminal_and_is_exact_in_json() {
    let site = exported();
    let mut lines = lines(&site);
    lines[1]["source"] = HOSTILE.into();
    write(&site, &lines);
    site.offline("import bundle", "other").with_code(0);
    is_harmless(&site.offline("list", "other").with_code(0).stdout);
    let list = site.list("other");
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.iter().filter(|item| item["source"] == HOSTILE).count(), 1, "{list}");
}

#[test]
fn errors_of_a_large_damaged_bundle_are_summarized() {
    let site = Site::new();
    let header = r#"{"bundle":"sgx-quote-helper collateral","version":1,"records":1000000}"#;
    site.machine.write("bundle", format!("{header}\n{}", "{}\n".repeat(1_000_000)));
    let ended = site.offline("import bundle", "other").with_code(1);
    assert!(ended.stdout.contains("record 1 is damaged"), "{}", ended.stdout);
    assert!(ended.stdout.contains("and 999900 more"), "{}", ended.stdout);
    assert!(ended.stdout.len() < 20_000, "{}", ended.stdout.len());
}
