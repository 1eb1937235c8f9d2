//! Advice about a cache of collateral.

use super::{give, owners, perform, printed};
use crate::support::{Machine, RunResult, SERVE, Serve, is_root};

/// A machine whose collateral comes from `serve`, with the options for that, and a quote in
/// `q.bin`.
fn site() -> (Machine, Serve, String) {
    let machine = Machine::new();
    let line = format!("{SERVE} --certification-data encrypted-ppid");
    let serve = Serve::start(&mut machine.command(&line));
    machine.succeed("platform root --state-dir state --out root.pem");
    machine.quote("01");
    let source = serve.pccs();
    let options = format!("--cache-dir cache --source {source} --trusted-root root.pem");
    (machine, serve, options)
}

/// The command that fetches, as it was printed.
fn fetch(text: &str) -> String {
    let printed = printed(text, "quote-helper collateral fetch");
    let end = printed.find(" (or ").or(printed.find("; or")).unwrap_or(printed.len());
    printed[..end].replace("FILE", "q.bin")
}

#[test]
fn an_empty_cache_is_filled() {
    for command in ["list", "export bundle", "status"] {
        let (machine, _serve, options) = site();
        let RunResult { stdout, stderr, .. } =
            machine.run(&format!("collateral {command} {options}"));
        perform(&machine, &fetch(&(stdout + &stderr))).with_code(0);
        machine.succeed(&format!("collateral status {options}"));
        machine.succeed(&format!("collateral export bundle {options}"));
    }
}

/// With collateral alone nothing was verified of any machine, which is not good.
#[test]
fn a_platform_that_nobody_judged_needs_attention_and_is_fetched() {
    let (machine, _serve, options) = site();
    let subject = machine.succeed("platform show --state-dir state --output json").json();
    let fmspc = subject["fmspc"].as_str().unwrap();
    machine.succeed(&format!("collateral fetch --fmspc {fmspc} --ca platform {options}"));
    let status = machine.run(&format!("collateral status {options}")).with_code(5);
    assert!(status.stdout.contains("no platform was judged"), "{}", status.stdout);
    let json =
        machine.run(&format!("collateral status --output json {options}")).with_code(5).json();
    assert_eq!(
        (&json["condition"], &json["platforms"]),
        (&"attention".into(), &serde_json::json!([]))
    );
    perform(&machine, &fetch(&status.stdout)).with_code(0);
    machine.succeed(&format!("collateral status {options}"));
}

#[test]
fn missing_items_of_a_platform_are_fetched() {
    let (machine, _serve, options) = site();
    machine.succeed(&format!("collateral fetch --quote q.bin {options}"));
    let crl = machine.names("cache").into_iter().find(|name| name.starts_with("pck-crl")).unwrap();
    std::fs::remove_file(machine.path("cache").join(crl)).unwrap();
    let status = machine.run(&format!("collateral status {options}")).with_code(5);
    perform(&machine, &fetch(&status.stdout)).with_code(0);
    machine.succeed(&format!("collateral status {options}"));
}

#[test]
fn a_damaged_record_is_removed_and_fetched_again() {
    let (machine, _serve, options) = site();
    machine.succeed(&format!("collateral fetch --quote q.bin {options}"));
    let name =
        machine.names("cache").into_iter().find(|name| name.starts_with("tcb-info")).unwrap();
    let record = format!("cache/{name}");
    machine.write(&record, "{");
    let status = machine.run(&format!("collateral status {options}")).with_code(5);
    assert!(
        status.stdout.contains(&record) && status.stdout.contains("remove"),
        "{}",
        status.stdout
    );
    std::fs::remove_file(machine.path(&record)).unwrap();
    let status = machine.run(&format!("collateral status {options}")).with_code(5);
    perform(&machine, &fetch(&status.stdout)).with_code(0);
    machine.succeed(&format!("collateral status {options}"));
}

#[test]
fn root_reads_the_cache_of_the_service_and_fetches_as_its_user() {
    if !is_root() {
        return;
    }
    let (machine, _serve, options) = site();
    machine.succeed(&format!("collateral fetch --quote q.bin {options}"));
    give(&machine, "cache", 1);
    let status = machine.succeed(&format!("collateral status {options}")).stdout;
    assert!(status.starts_with("GOOD\n"), "{status}");
    let list = machine.succeed(&format!("collateral list --output json {options}")).json();
    assert_eq!(list["items"].as_array().unwrap().len(), 5);
    machine.succeed(&format!("collateral export bundle {options}"));
    for line in ["fetch --force", "import bundle"] {
        let ended = machine.run(&format!("collateral {line} {options}")).with_code(1);
        let all = ended.stdout + &ended.stderr;
        assert_eq!(all.matches("belongs to daemon (user 1)").count(), 1, "{all}");
        let printed = printed(&all, "runuser -u daemon -- quote-helper …");
        let command = printed.replace('…', &format!("collateral {line} {options}"));
        perform(&machine, &command).with_code(0);
    }
    assert_eq!(owners(&machine, "cache"), [1]);
    // The fix of `status` names the user, too.
    std::fs::remove_file(machine.path("cache").join("root-ca-crl.json")).unwrap();
    let status = machine.run(&format!("collateral status {options}")).with_code(5).stdout;
    perform(&machine, &format!("runuser -u daemon -- {}", fetch(&status))).with_code(0);
    assert!(status.contains("fix: runuser -u daemon -- quote-helper collateral fetch"), "{status}");
    machine.succeed(&format!("collateral status {options}"));
}

/// It is so for each of the items.
#[test]
fn a_cache_that_root_may_not_fill_is_told_once() {
    if !is_root() {
        return;
    }
    let (machine, _serve, options) = site();
    std::fs::create_dir(machine.path("cache")).unwrap();
    give(&machine, "cache", 1);
    let verified = machine.succeed(&format!("verify q.bin {options}"));
    let told = verified.stderr.matches("belongs to daemon (user 1)").count();
    assert_eq!(told, 1, "{}", verified.stderr);
}
