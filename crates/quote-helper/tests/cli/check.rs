//! `check` on this machine: on any processor a service on the software platform quotes.

use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Machine, RunResult};

/// The documentation.
const DOCUMENT: &str = include_str!("../../../../docs/check.md");

const CHECK: &str = "check --socket aesm.socket --output json";

/// Every finding, as an object.
pub(crate) fn findings(diagnosis: &Value) -> Vec<&Value> {
    let sections = diagnosis["sections"].as_array().unwrap();
    sections.iter().flat_map(|section| section["findings"].as_array().unwrap()).collect()
}

#[track_caller]
pub(crate) fn finding(ended: &RunResult, name: &str) -> Value {
    let diagnosis = ended.json();
    let named = findings(&diagnosis).into_iter().find(|finding| finding["name"] == name);
    named.unwrap_or_else(|| panic!("{name} is missing: {diagnosis}")).clone()
}

/// Asserts the status of a finding, and a part of its fix.
#[track_caller]
fn is(ended: &RunResult, name: &str, status: &str, fix: &str) {
    let finding = finding(ended, name);
    assert_eq!(finding["status"], status, "{finding}");
    assert!(finding["fix"].as_str().unwrap().contains(fix), "{finding}");
}

/// Asserts the statuses of the findings about the service, from the socket to the collateral.
#[track_caller]
fn serves(ended: &RunResult, statuses: [&str; 6]) {
    let names = ["socket", "answer", "self-quote", "verification", "certificates", "collateral"];
    let found = names.map(|name| finding(ended, name)["status"].take());
    assert_eq!(found, statuses, "{}", ended.stdout);
}

#[test]
fn a_missing_service_fails_and_has_the_command_that_starts_one() {
    let machine = Machine::new();
    let ended = machine.run(CHECK).with_code(1);
    serves(&ended, ["failed", "skipped", "skipped", "skipped", "skipped", "skipped"]);
    is(&ended, "socket", "failed", "`quote-helper serve`");
    assert_eq!(ended.stderr, "");

    let ended = machine.run("check --socket not/mounted/aesm.socket --output json").with_code(1);
    is(&ended, "socket", "failed", "mount that directory");
}

#[test]
fn a_software_service_quotes_and_its_quote_is_verified() {
    let machine = Machine::new();
    let serve = machine.serve();
    machine.succeed("platform root --state-dir state --out root.pem");
    machine.succeed("platform collateral --state-dir state --out collateral.json");
    for evidence in
        [format!("--source {}", serve.pccs()), "--collateral collateral.json".to_owned()]
    {
        let ended = machine.run(&format!("{CHECK} --trusted-root root.pem {evidence}"));
        serves(&ended, ["ok"; 6]);
    }
    // Under Intel's root, and with a source that cannot be reached.
    let ended = machine.run(&format!("{CHECK} --source {}", serve.pccs())).with_code(1);
    is(&ended, "verification", "failed", "--trusted-root");
    let ended = machine.run(&format!("{CHECK} --source http://127.0.0.1:1")).with_code(1);
    is(&ended, "verification", "failed", "PCCS");
}

#[test]
fn no_collateral_skips_the_verification() {
    let machine = Machine::new();
    let _serve = machine.serve();
    let ended = machine.run(CHECK);
    serves(&ended, ["ok", "ok", "ok", "skipped", "ok", "skipped"]);
    is(&ended, "verification", "skipped", "--trusted-root");
    let socket = finding(&ended, "socket");
    assert!(socket["detail"].as_str().unwrap().ends_with(", of quote-helper"), "{socket}");
}

#[test]
fn the_exit_code_tells_failures() {
    let machine = Machine::new();
    let _serve = machine.serve();
    let ended = machine.run(CHECK);
    let failed = findings(&ended.json()).iter().any(|finding| finding["status"] == "failed");
    assert_eq!(ended.json()["passed"], !failed);
    assert_eq!(ended.code, Some(i32::from(failed)));
}

#[test]
fn findings_that_are_not_ok_have_a_fix() {
    let ended = Machine::new().run(CHECK);
    let diagnosis = ended.json();
    let findings = findings(&diagnosis);
    for finding in &findings {
        let is_ok = finding["status"] == "ok";
        assert_eq!(finding["fix"].is_null(), is_ok, "{finding}");
        assert!(is_ok || !finding["fix"].as_str().unwrap().is_empty(), "{finding}");
    }
}

/// The findings in the table of this part of the document.
pub(crate) fn documented(part: &str) -> Vec<&'static str> {
    let part = DOCUMENT.split("\n## ").find(|text| text.starts_with(part)).unwrap();
    let columns = part.lines().filter_map(|line| line.strip_prefix('|')?.split('|').nth(1));
    let mut names: Vec<_> =
        columns.flat_map(|column| column.split('`').skip(1).step_by(2)).collect();
    names.sort_unstable();
    names
}

#[test]
fn each_finding_is_in_the_document_once() {
    let diagnosis = Machine::new().run(CHECK).json();
    let findings = findings(&diagnosis);
    let mut found: Vec<_> = findings.iter().map(|one| one["name"].as_str().unwrap()).collect();
    found.sort_unstable();
    assert_eq!(documented("A machine"), found);
}

#[test]
fn in_pod_checks_the_mount_the_variable_and_the_service() {
    let machine = Machine::new();
    let _serve = machine.serve();
    machine.succeed("platform root --state-dir state --out root.pem");
    machine.succeed("platform collateral --state-dir state --out collateral.json");
    let mut command = machine.command("check --in-pod --output json --collateral collateral.json");
    command.env("QUOTE_HELPER_SOCKET", machine.socket());
    command.env("QUOTE_HELPER_COLLATERAL_TRUSTED_ROOT", machine.path("root.pem"));
    let ended = RunResult::of(&mut command).with_code(0);
    serves(&ended, ["ok"; 6]);
    assert_eq!(finding(&ended, "verification")["value"], "UpToDate");
    // Only its own container sees the service's process.
    assert_eq!(finding(&ended, "sgx-aesm-addr")["status"], "ok");
    let documented = documented("A container");
    for finding in findings(&ended.json()) {
        assert!(documented.contains(&finding["name"].as_str().unwrap()), "{finding}");
    }
}

#[test]
fn a_container_without_a_socket_has_the_fix() {
    let machine = Machine::new();
    let ended = machine.run("check --in-pod --socket aesm.socket --output json").with_code(1);
    is(&ended, "mount", "failed", "hostPath /var/run/aesmd");
    serves(&ended, ["skipped"; 6]);
    is(&ended, "sgx-aesm-addr", "warning", "SGX_AESM_ADDR to \"1\"");
}

#[test]
fn the_socket_of_a_dead_service_differs_from_none() {
    let machine = Machine::new();
    let serve = machine.serve();
    serve.signal(Signal::KILL);
    serve.wait();
    let ended = machine.run(CHECK).with_code(1);
    serves(&ended, ["ok", "failed", "skipped", "skipped", "skipped", "skipped"]);
    is(&ended, "answer", "failed", "`quote-helper serve`");
}

#[test]
fn a_server_that_accepts_and_never_answers_times_out() {
    let machine = Machine::new();
    let listener = UnixListener::bind(machine.socket()).unwrap();
    let accept = std::thread::spawn(move || {
        let accepted: Vec<_> = listener.incoming().take(2).collect();
        std::thread::sleep(Duration::from_secs(10));
        drop(accepted);
    });
    let begin = Instant::now();
    let ended = machine.run(CHECK).with_code(1);
    assert!(begin.elapsed() < Duration::from_secs(8), "{:?}", begin.elapsed());
    serves(&ended, ["ok", "failed", "skipped", "skipped", "skipped", "skipped"]);
    is(&ended, "answer", "failed", "ss -xlp");
    drop(accept);
}

#[test]
fn a_server_that_never_accepts_times_out() {
    let machine = Machine::new();
    let listener = rustix::net::socket(
        rustix::net::AddressFamily::UNIX,
        rustix::net::SocketType::STREAM,
        None,
    )
    .unwrap();
    let address = rustix::net::SocketAddrUnix::new(machine.socket()).unwrap();
    rustix::net::bind(&listener, &address).unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let _waiting = std::os::unix::net::UnixStream::connect(machine.socket()).unwrap();
    let begin = Instant::now();
    let ended = machine.run(CHECK).with_code(1);
    assert!(begin.elapsed() < Duration::from_secs(8), "{:?}", begin.elapsed());
    serves(&ended, ["ok", "failed", "skipped", "skipped", "skipped", "skipped"]);
}

#[test]
fn a_file_that_is_not_a_socket_is_named() {
    let machine = Machine::new();
    machine.write("aesm.socket", "");
    let ended = machine.run(CHECK).with_code(1);
    is(&ended, "socket", "failed", "remove it");
}

#[test]
fn the_socket_is_that_of_the_environment_unless_it_is_given() {
    let machine = Machine::new();
    let asked_at = |line: &str, address: &str| {
        let mut command = machine.command(line);
        let ended = RunResult::of(command.env("SGX_AESM_ADDR", address));
        finding(&ended, "socket")["detail"].as_str().unwrap().to_owned()
    };
    let socket = machine.path("elsewhere/aesm.socket");
    let of_environment = asked_at("check --output json", socket.to_str().unwrap());
    assert!(of_environment.contains("elsewhere/aesm.socket"), "{of_environment}");
    let given = asked_at("check --output json --socket given.socket", socket.to_str().unwrap());
    assert!(given.contains("given.socket"), "{given}");
}

#[test]
fn text_has_marks_and_fixes_without_colors() {
    let machine = Machine::new();
    let ended = machine.run("check --socket aesm.socket").with_code(1);
    assert_eq!(ended.stderr, "");
    for text in
        ["this machine (", "\n\nfailed\n  ✗ ", "  ✗ socket  ", "\n      fix: ", "\nfailed: "]
    {
        assert!(ended.stdout.contains(text), "{text}: {}", ended.stdout);
    }
    assert!(ended.stdout.ends_with("(-v shows all)\n"), "{}", ended.stdout);
    assert!(!ended.stdout.contains("– answer"), "{}", ended.stdout);
    let all = machine.run("check --socket aesm.socket --verbose").with_code(1);
    for text in ["processor\n", "\nservice\n  ✗ socket  ", "  – answer  "] {
        assert!(all.stdout.contains(text), "{text}: {}", all.stdout);
    }
    assert!(!ended.stdout.contains('\x1b'));
}

#[test]
fn a_missing_root_is_an_error() {
    Machine::new().run("check --trusted-root root.pem").with_code(1).says(&["root.pem"]);
}
