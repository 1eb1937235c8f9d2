//! Collateral is fetched ahead, and outlives its source.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;

use rustix::process::Signal;

use super::{ITEMS, Site, outcomes};
use crate::support::{Machine, RunResult, eventually};

#[test]
fn collateral_of_a_quote_outlives_its_source() {
    let site = Site::new();
    let fetched = site.run("fetch --quote q.bin --output json").with_code(0);
    fetched.says(&[&site.serve.pccs(), "because the command line says so", "kept in cache"]);
    assert_eq!(outcomes(&fetched.json()), ["fetched"; ITEMS]);

    let again = site.run("fetch --quote q.bin --output json").with_code(0).json();
    assert_eq!(outcomes(&again), ["fresh"; ITEMS]);
    let pccs = site.serve.pccs();
    site.serve.signal(Signal::KILL);
    eventually("the source is gone", || {
        std::net::TcpStream::connect(pccs.trim_start_matches("http://")).is_err()
    });
    let failed = site.run("fetch --force --output json").with_code(1);
    failed.says(&["5 of 5 items could not be fetched"]);
    let failed = failed.json();
    assert_eq!(outcomes(&failed), ["failed"; ITEMS]);
    assert!(failed[0]["reason"].as_str().unwrap().contains("cannot be reached"), "{failed}");
    assert!(failed[0]["valid_until"].is_string(), "{failed}");
    assert_eq!(outcomes(&site.run("fetch --output json").with_code(0).json()), ["fresh"; ITEMS]);
    assert_eq!(site.list("cache")["items"].as_array().unwrap().len(), ITEMS);
    site.run("status").with_code(0);
    let probed = site.run("status --probe").with_code(5).stdout;
    assert!(probed.contains("does NOT answer"), "{probed}");
}

#[test]
fn the_list_has_items_and_expiry() {
    let site = Site::fetched();
    let shown = site.machine.succeed("platform show --state-dir state --output json").json();
    let list = site.list("cache");
    let find = |what: &str| {
        let items = list["items"].as_array().unwrap().iter();
        items.clone().find(|item| item["what"] == what).unwrap_or_else(|| panic!("{what}: {list}"))
    };
    let pck = find("PCK certificate");
    for key in ["qe_id", "fmspc", "cpu_svn", "pce_svn"] {
        assert_eq!(pck[key], shown[key], "{key}");
    }
    assert_eq!((&pck["ca"], &find("PCK CRL")["ca"]), (&"platform".into(), &"platform".into()));
    let tcb_info = find("TCB info (SGX)");
    assert_eq!(tcb_info["fmspc"], shown["fmspc"]);
    assert_eq!((&tcb_info["days_left"], &tcb_info["due"]), (&29.into(), &false.into()));
    assert_eq!(tcb_info["expired"], false);
    assert_eq!(tcb_info["source"], format!("the PCCS at {}", site.serve.pccs()));
    let text = site.run("list").with_code(0).stdout;
    for what in ["ITEM", "DAYS LEFT", "root CRL", "QE identity (SGX)", "FMSPC "] {
        assert!(text.contains(what), "{what}: {text}");
    }
    let yaml = site.run("list --output yaml").with_code(0).stdout;
    assert!(yaml.contains("directory: cache"), "{yaml}");
}

#[test]
fn collateral_of_an_fmspc_serves_a_verifier() {
    let site = Site::new();
    let platform = site.platform();
    let fetched = site.run(&format!("fetch {platform} --early --output json")).with_code(0).json();
    // The CRLs have no evaluations.
    assert_eq!(outcomes(&fetched), ["fetched"; ITEMS + 1]);
    let fetched = site.run(&format!("fetch {platform} --tdx --output json")).with_code(1).json();
    let lacks = fetched.as_array().unwrap().iter().filter(|item| item["outcome"] == "failed");
    let lacks: Vec<_> = lacks.map(|item| item["name"].as_str().unwrap()).collect();
    // The platform makes no quotes of TDX, and so has no TCB info for them.
    assert_eq!(lacks.len(), 1);
    assert!(lacks[0].contains("td"), "{lacks:?}");
}

#[test]
fn incomplete_and_invalid_arguments_are_refused() {
    let site = Site::new();
    for (line, reason) in [
        ("fetch --fmspc 00906ED50000", "--ca <CA>"),
        ("fetch --fmspc 00906ED5 --ca platform", "expected 6 bytes in hexadecimal, 12 digits"),
        ("fetch --ca platform", "--fmspc <HEX>"),
        ("fetch --tdx", "--fmspc <HEX>"),
        ("fetch --source somewhere", "is no source"),
    ] {
        site.run(line).with_code(2).says(&[reason]);
    }
    site.machine.write("q.bin", "no quote");
    site.run("fetch --quote q.bin").with_code(1).says(&["cannot fetch for q.bin"]);
    assert!(!site.machine.path("cache").exists());
}

#[test]
fn an_empty_cache_is_reported_with_the_fix() {
    let site = Site::new();
    site.run("fetch").with_code(1).says(&["the cache cache is empty", "--quote FILE"]);
    let text = site.run("list").with_code(0).stdout;
    assert!(text.contains("there is no collateral in cache"), "{text}");
    site.run("export bundle").with_code(1).says(&["no valid collateral in cache"]);
    let status = site.run("status").with_code(5).stdout;
    assert!(status.contains("there is no collateral in cache"), "{status}");
    assert!(!site.machine.path("cache").exists());
}

#[test]
fn the_cache_is_where_the_user_has_caches() {
    let machine = Machine::new();
    let mut list = machine.command("collateral list");
    let list =
        RunResult::of(list.env("XDG_CACHE_HOME", machine.path("caches"))).with_code(0).stdout;
    let directory = machine.path("caches/quote-helper/collateral");
    assert!(list.contains(&format!("in {};", directory.display())), "{list}");
    // Only root has a cache without a home directory.
    let mut homeless = machine.command("collateral list");
    if rustix::process::geteuid().is_root() {
        fs::set_permissions(machine.path(""), Permissions::from_mode(0o755)).unwrap();
        homeless.uid(65534).gid(65534);
    }
    RunResult::of(&mut homeless).with_code(1).says(&["pass --cache-dir"]);
}
