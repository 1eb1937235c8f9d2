//! `conformance`, and the conformance run of a new instance and of new workers.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use test_support::provider::Provider;

use crate::hand_over::{quote_once, quotes_meanwhile};
use crate::support::{Machine, RunResult, Serve, eventually};

const CLIENTS: [&str; 6] = [
    "Intel libsgx_quote_ex",
    "Intel libsgx_dcap_ql",
    "Open Enclave",
    "Gramine",
    "Fortanix aesm-client",
    "Go (Oasis Core)",
];

/// A running instance, on the software platform.
const SERVE: &str = "serve --platform software --socket aesm.socket --state-dir state \
     --metrics-listen 127.0.0.1:0 --log-format json";

/// An instance that quotes with the test's provider library, in place of the running one.
fn successor(machine: &Machine, provider: &Provider, more: &str) -> Command {
    machine.command(&format!(
        "serve --platform dcap --workers 1 --worker-timeout 500ms --socket aesm.socket \
         --state-dir state --metrics-listen 127.0.0.1:0 --log-format json --dcap-library {} {more}",
        provider.library().display()
    ))
}

/// A provider library whose quotes are of another REPORT.
fn broken() -> Provider {
    let provider = Provider::build();
    provider.fault("sgx_ql_get_quote other");
    provider
}

#[track_caller]
fn prints(result: &RunResult, texts: &[&str]) {
    for text in texts {
        assert!(result.stdout.contains(text), "{text:?} is missing: {}", result.stdout);
    }
}

#[test]
fn every_client_of_a_running_service_is_served() {
    let machine = Machine::new();
    let _serve = machine.serve();
    let result = machine.succeed("conformance --socket aesm.socket");
    prints(&result, &CLIENTS);
    prints(&result, &["all 6 clients are served; quotes are made (INSECURE"]);
    let json = machine.succeed("conformance --socket aesm.socket --output json").json();
    assert_eq!(json["conforms"], true);
    assert_eq!(json["quotes"], "made");
    for (client, name) in json["clients"].as_array().unwrap().iter().zip(CLIENTS) {
        assert_eq!(client["client"], name);
        assert_eq!(client["conforms"], true);
        let steps = client["steps"].as_array().unwrap();
        assert!(steps.iter().all(|step| step["result"] == "conforms"), "{client}");
    }
}

#[test]
fn a_client_that_is_not_served_is_exit_code_1() {
    let machine = Machine::new();
    let provider = broken();
    let _serve = Serve::start(&mut successor(&machine, &provider, ""));
    let result = machine.run("conformance --socket aesm.socket").with_code(1);
    prints(&result, &["sgx_get_quote_ex", "differs", "the service refuses it", "not reached"]);
    prints(&result, &["6 of 6 clients are not served"]);
}

#[test]
fn an_absent_service_is_an_error() {
    let result = Machine::new().run("conformance --socket aesm.socket").with_code(1);
    result.says(&["cannot connect to the quote service at aesm.socket"]);
}

#[test]
fn a_successor_that_serves_no_client_does_not_take_over() {
    let machine = Machine::new();
    let old = Serve::start(&mut machine.command(SERVE));
    let quotes = quotes_meanwhile(&machine, |_| {
        let provider = broken();
        let refused = RunResult::of(&mut successor(&machine, &provider, "")).with_code(1);
        refused.says(&[
            "not taking over from ",
            "which continues to serve",
            "Intel libsgx_quote_ex, sgx_get_quote_ex: the service refuses it",
            "5 other clients would not be served either",
            "--take-over replaces it all the same",
        ]);
    });
    assert!(quotes > 0);
    assert!(old.get("/readyz").starts_with("HTTP/1.1 200"));
    // The next one is accepted: nothing is left of the refused one.
    let new = Serve::start(&mut machine.command(SERVE));
    assert_eq!(old.wait().0.code(), Some(0));
    quote_once(&machine);
    new.signal(Signal::TERM);
    let (_, log) = new.wait();
    assert!(log.contains("the conformance run has passed"), "{log}");
    assert_eq!(machine.names("state/hand-over"), ["secret"]);
}

#[test]
fn a_library_that_cannot_be_loaded_is_named() {
    let machine = Machine::new();
    let _old = Serve::start(&mut machine.command(SERVE));
    let line = "serve --platform dcap --dcap-library ./no-such-library.so --socket aesm.socket \
         --state-dir state --log-format json";
    let refused = machine.run(line).with_code(1);
    refused.says(&["not taking over from ", "no-such-library.so"]);
    quote_once(&machine);
}

#[test]
fn take_over_replaces_all_the_same() {
    let machine = Machine::new();
    let old = Serve::start(&mut machine.command(SERVE));
    let provider = broken();
    let new = Serve::start(&mut successor(&machine, &provider, "--take-over"));
    assert_eq!(old.wait().0.code(), Some(0));
    new.signal(Signal::TERM);
    let (_, log) = new.wait();
    assert!(log.contains("taking over all the same"), "{log}");
}

/// As in Kubernetes: the kubelet would restart a process that exits, and asks a living one why.
#[test]
fn a_supervised_successor_says_why_it_does_not_take_over() {
    let machine = Machine::new();
    let old = Serve::start(&mut machine.command(SERVE));
    let probe = |service: &Serve| {
        machine.run(&format!("startup-probe --metrics {}", service.metrics_address()))
    };
    probe(&old).with_code(0);
    let provider = broken();
    let mut command = successor(&machine, &provider, "--after-hand-over wait");
    let new = Serve::start_until(&mut command, "health");
    let reason = "Intel libsgx_quote_ex, sgx_get_quote_ex: the service refuses it";
    let address = new.address("health").to_owned();
    let line = format!("startup-probe --metrics {address}");
    machine.run(&line).with_code(1).says(&["not taking over from ", reason]);
    let get = |path: &str| {
        crate::support::http_get(std::net::TcpStream::connect(&address).unwrap(), path)
    };
    assert!(get("/readyz").starts_with("HTTP/1.1 503") && get("/readyz").contains(reason));
    assert!(get("/livez").starts_with("HTTP/1.1 200"));
    quote_once(&machine);
    new.signal(Signal::TERM);
    assert_eq!(new.wait().0.code(), Some(1));
    quote_once(&machine);
    assert!(old.get("/readyz").starts_with("HTTP/1.1 200"));
}

#[test]
fn a_startup_probe_waits_for_a_service_that_starts() {
    let machine = Machine::new();
    let begin = Instant::now();
    let absent = machine.run("startup-probe --metrics metrics.socket/ --timeout 300ms");
    absent.with_code(2);
    let absent = machine.run("startup-probe --metrics 127.0.0.1:1 --timeout 300ms").with_code(1);
    absent.says(&["no answer from 127.0.0.1:1"]);
    assert!(begin.elapsed() >= Duration::from_millis(300));
}

#[test]
fn new_workers_replace_the_old_ones_only_if_they_serve_every_client() {
    let machine = Machine::new();
    let provider = Provider::build();
    let serve = Serve::start(&mut successor(&machine, &provider, ""));
    eventually("a worker is ready", || {
        machine.run("conformance --socket aesm.socket").code == Some(0)
    });
    let workers = serve.children();
    provider.fault("sgx_ql_init_quote error 0xe011");
    serve.signal(Signal::HUP);
    thread::sleep(Duration::from_millis(1500));
    assert_eq!(serve.children(), workers);
    quote_once(&machine);
    provider.heal();
    serve.signal(Signal::HUP);
    eventually("the worker is replaced", || {
        let children = serve.children();
        children.len() == 1 && children != workers
    });
    quote_once(&machine);
    serve.signal(Signal::TERM);
    let (_, log) = serve.wait();
    assert!(log.contains("the old workers stay: a new one would not serve every client"), "{log}");
    assert!(log.contains("workers (replaced)"), "{log}");
}
