//! Other roots, full disks and kill -9 do not damage the cache.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{ITEMS, Site, outcomes};
use crate::support::RunResult;

/// The records of the cache.
fn files(site: &Site) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(site.machine.path("cache")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let records =
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    let named = |path: std::path::PathBuf| {
        (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(path).unwrap())
    };
    records.map(named).collect()
}

#[test]
fn collateral_of_another_root_is_not_stored() {
    let site = Site::new();
    let flags = format!("--cache-dir cache --source {}", site.serve.pccs());
    let line = format!("collateral fetch {} {flags}", site.platform());
    let refused = site.machine.run(&line).with_code(1);
    assert!(refused.stdout.contains("its response was rejected: "), "{}", refused.stdout);
    assert!(refused.stdout.contains("not trusted"), "{}", refused.stdout);
    assert!(files(&site).is_empty());
}

#[test]
fn collateral_stored_under_another_root_is_not_used() {
    let site = Site::fetched();
    let list = site.machine.succeed("collateral list --cache-dir cache --output json").json();
    assert_eq!(list["items"].as_array().unwrap().len(), 0);
    assert_eq!(list["unusable"].as_array().unwrap().len(), ITEMS);
    let status = site.machine.run("collateral status --cache-dir cache").with_code(5);
    assert!(status.stdout.contains("check the trusted root"), "{status:?}");
}

#[test]
fn a_damaged_file_is_named_and_the_others_serve() {
    let site = Site::fetched();
    std::fs::write(site.file("tcb-info"), "{").unwrap();
    let text = site.run("list").with_code(0).stdout;
    assert!(text.contains("tcb-info-sgx") && text.contains("remove it"), "{text}");
    assert_eq!(site.list("cache")["items"].as_array().unwrap().len(), ITEMS - 1);
    site.run("status").with_code(5);
    let fetched = site.run("fetch --quote q.bin --output json").with_code(0).json();
    assert_eq!(outcomes(&fetched).iter().filter(|outcome| **outcome == "fetched").count(), 1);
    site.run("status").with_code(0);
}

#[test]
fn a_full_disk_is_reported_and_keeps_the_cache() {
    let site = Site::fetched();
    let before = files(&site);
    let limited = format!(
        "trap '' XFSZ; ulimit -f 1; exec {} collateral fetch --force {}",
        env!("CARGO_BIN_EXE_quote-helper"),
        site.flags
    );
    let mut shell = Command::new("sh");
    shell.args(["-c", &limited]).current_dir(site.machine.path("")).env_clear();
    let ended = RunResult::of(shell.stdout(Stdio::piped()).stderr(Stdio::piped())).with_code(1);
    assert_eq!(ended.stdout.matches("NOT CACHED").count(), ITEMS, "{}", ended.stdout);
    assert!(ended.stdout.contains("check the disk space"), "{}", ended.stdout);
    assert_eq!(files(&site), before);
    site.run("status").with_code(0);
}

#[test]
fn a_directory_that_cannot_be_is_named() {
    let site = Site::new();
    site.machine.write("cache", "a file");
    let fetched = site.run(&format!("fetch {}", site.platform())).with_code(1);
    assert!(fetched.stdout.contains("NOT CACHED: cannot store cache"), "{}", fetched.stdout);
    for command in ["fetch", "list", "status", "export b"] {
        site.run(command).with_code(1).says(&["cannot read the cache cache"]);
    }
}

#[test]
fn kill_9_at_any_moment_leaves_files_that_can_be_read() {
    let site = Site::fetched();
    for milliseconds in 0..40 {
        let mut fetch = site.command("fetch --force").spawn().unwrap();
        std::thread::sleep(Duration::from_millis(milliseconds * 2));
        // It may have ended already.
        let _ = fetch.kill();
        fetch.wait().unwrap();
        let list = site.list("cache");
        assert_eq!(list["items"].as_array().unwrap().len(), ITEMS, "{list}");
        assert_eq!(list["unusable"].as_array().unwrap().len(), 0, "{list}");
    }
    site.run("fetch --force").with_code(0);
}
