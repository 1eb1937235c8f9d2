//! Text that others have written, on its way to terminal and log: it neither ends a line nor
//! controls the terminal.

use std::fs;
use std::process::Command;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use serde_json::json;

use crate::check_cluster::{ApiServer, Reply};
use crate::support::{Machine, RunResult, eventually};

/// Moves the cursor and the direction of writing, and begins a line of its own.
pub(crate) const HOSTILE: &str = "x\nTRUSTED\u{1b}[2J\u{9b}1A\r\u{202e}y";
/// The same as it is shown.
pub(crate) const SHOWN: &str = "x\\nTRUSTED\\u001b[2J\\u009b1A\\r\\u202ey";

/// Checks that the hostile text is there, and does nothing.
#[track_caller]
pub(crate) fn is_harmless(text: &str) {
    assert!(text.contains(SHOWN), "{text:?}");
    controls_nothing(text);
}

/// The same, however it is escaped.
#[track_caller]
pub(crate) fn controls_nothing(text: &str) {
    assert!(text.contains("TRUSTED") && text.contains("[2J"), "{text:?}");
    assert!(!text.lines().any(|line| line.starts_with("TRUSTED")), "{text:?}");
    let controls = |c: &char| c.is_control() && *c != '\n' || *c == '\u{202e}';
    assert_eq!(text.chars().find(controls), None, "{text:?}");
}

#[test]
fn a_name_of_a_file() {
    let machine = Machine::new();
    for line in ["inspect", "verify", "collateral import"] {
        let ended = RunResult::of(machine.command(line).arg(HOSTILE)).with_code(1);
        is_harmless(&ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    }
    // As a shell expands `*`.
    for line in ["inspect file", "verify file", "verify file --lines"] {
        let ended = RunResult::of(machine.command(line).arg(HOSTILE)).with_code(1);
        is_harmless(&ended.stdout);
        assert_eq!(ended.stdout.lines().count(), 2, "{}", ended.stdout);
    }
    is_harmless(
        &RunResult::of(machine.command("check --machine").arg(HOSTILE)).with_code(2).stderr,
    );
}

#[test]
fn a_name_of_a_directory_in_the_log() {
    let machine = Machine::new();
    let mut command =
        machine.command("device-plugin --epc-size 1GiB --epc-accounting devices --plugin-dir");
    command.arg(HOSTILE).stderr(fs::File::create(machine.path("log")).unwrap());
    let mut plugin = command.spawn().unwrap();
    let log = || String::from_utf8(machine.read("log")).unwrap();
    eventually("it waits for the kubelet", || log().contains("cannot reach the kubelet"));
    plugin.kill().unwrap();
    plugin.wait().unwrap();
    // Fields that are quoted, and escape sequences, are escaped by the library of the log.
    controls_nothing(&log());
    let of_its_own = |line: &str| line.starts_with("20") && line.contains("Z ");
    assert!(log().lines().all(of_its_own), "{}", log());
}

#[test]
fn a_message_of_an_api_server() {
    let body = json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure", "code": 500,
        "message": HOSTILE.repeat(10), "reason": "InternalError",
    });
    let server = ApiServer::start(move |path| match path {
        "/version" => crate::check_cluster::version(),
        _ => Reply::text(500, &body.to_string()),
    });
    let machine = Machine::new();
    machine.write("kubeconfig", server.kubeconfig());
    let run = |line: &str| {
        let mut command: Command = machine.command(line);
        RunResult::of(command.env("KUBECONFIG", machine.path("kubeconfig"))).with_code(1)
    };
    // Lines are 80 columns wide, so that the text may go on in the next one.
    let checked = run("check --cluster").stdout;
    is_harmless(&checked.replace("\n                      ", ""));
    is_harmless(&run("uninstall").stderr);
    // For programs it stays what it was.
    let details = run("check --cluster --output json").json().to_string();
    let exact = serde_json::to_string(HOSTILE).unwrap();
    assert!(details.contains(exact.trim_matches('"')), "{details}");
}

/// A certificate of itself whose subject is hostile, as PEM.
pub(crate) fn certificate() -> String {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, HOSTILE);
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
}
