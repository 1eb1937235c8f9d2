//! All that the program keeps on disk: a platform, a cache of collateral, the database of a PCCS.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Machine, RunResult, SERVE, Serve};

/// The files and directories of [`make`], in the directory of the machine.
#[allow(dead_code, reason = "for the record of a release")]
pub(crate) const NAMES: [&str; 7] =
    ["admin", "cache", "q.bin", "root.pem", "server", "state", "user"];

/// SHA-512 of `a user` and of `an administrator`.
const USER_HASH: &str = "663a239c6566a928009e40f82ed1ffe3883412758af477f1d17e373a283227c3\
    582220424635bb0a1763b2d13883dd15175485575532b89deb8ca5f6bcb255cf";
const ADMIN_HASH: &str = "5a3b2e7c69b573515e105a5d7790e2fdb8e2c3a998b1d562e9a75a67ef44c7c0\
    b9ab661432e5da29b2daeaf8230c174c43d1e3ad58210c3bdb3b5a525f4bc00a";

const OFFLINE: &str = "--mode offline --trusted-root root.pem";
const PLATFORMS: &str = "/sgx/certification/v4/platforms";
const REGISTRATION: &str = r#"
    {"qe_id":"000102030405060708090a0b0c0d0e0f","pce_id":"0000","platform_manifest":"00"}"#;

/// Makes the state with this version of the program.
pub(crate) fn make(machine: &Machine, program: &Path) {
    machine.write("user", USER_HASH);
    machine.write("admin", ADMIN_HASH);
    let line = format!("{SERVE} --certification-data encrypted-ppid");
    let serve = Serve::start(&mut machine.command_of(program, &line));
    let sources = format!("--trusted-root root.pem --source {}", serve.pccs());
    succeed(machine, program, "platform root --state-dir state --out root.pem");
    succeed(machine, program, "quote --socket aesm.socket --report-data 07 --out q.bin");
    succeed(
        machine,
        program,
        &format!("collateral fetch --quote q.bin --cache-dir cache {sources}"),
    );
    let server = pccs(machine, program, &sources);
    let verify = format!("verify q.bin --trusted-root root.pem --source {}", server.pccs());
    succeed(machine, program, &verify);
    stop(server);
    // Otherwise a source decides on a registration.
    let server = pccs(machine, program, OFFLINE);
    ask(&server, &format!("POST {PLATFORMS}"), "user-token: a user", REGISTRATION);
    stop(server);
    stop(serve);
    succeed(machine, program, "platform tcb --raise --state-dir state");
}

/// The contents of the state, by this version of the program.
pub(crate) fn facts(machine: &Machine, program: &Path) -> Value {
    let result = |line: &str| succeed(machine, program, &format!("{line} --output json")).json();
    let platform = result("platform show --state-dir state");
    let tcb = result("platform tcb --state-dir state");
    let cache = result("collateral list --cache-dir cache --trusted-root root.pem");
    let serve = Serve::start(&mut machine.command_of(program, SERVE));
    succeed(machine, program, "quote --socket aesm.socket --report-data 07 --out new.bin");
    let quote = result("inspect new.bin");
    stop(serve);
    let server = pccs(machine, program, OFFLINE);
    let admin = "admin-token: an administrator";
    let registered = ask(&server, &format!("GET {PLATFORMS}"), admin, "");
    let known = ask(&server, &format!("GET {PLATFORMS}?source=%5B%5D"), admin, "");
    stop(server);
    json!({
        "platform": platform,
        "tcb": { "levels": tcb["tcb_levels"], "number": tcb["tcb_evaluation_data_number"] },
        "attestation key": quote["fields"]["attestation_key"],
        "cache": cache["items"].as_array().unwrap().iter().map(item).collect::<Vec<_>>(),
        "unusable": cache["unusable"],
        "registered": registered,
        "known": known,
    })
}

/// An item of the cache without what changes with time.
fn item(item: &Value) -> Value {
    let names = ["name", "what", "qe_id", "fmspc", "fetched", "valid_from", "valid_until"];
    names.iter().map(|name| ((*name).to_owned(), item[*name].clone())).collect()
}

fn pccs(machine: &Machine, program: &Path, more: &str) -> Serve {
    let line = format!(
        "collateral serve --listen 127.0.0.1:0 --state-dir server --log-format json \
         --user-token-file user --admin-token-file admin {more}"
    );
    Serve::start_until(&mut machine.command_of(program, &line), "collateral")
}

#[track_caller]
fn succeed(machine: &Machine, program: &Path, line: &str) -> RunResult {
    let mut command: Command = machine.command_of(program, line);
    RunResult::of(&mut command).with_code(0)
}

/// The body of the answer, which is JSON or empty.
#[track_caller]
fn ask(server: &Serve, request: &str, header: &str, body: &str) -> Value {
    let mut stream = TcpStream::connect(server.address("collateral")).unwrap();
    let length = body.len();
    let text = format!(
        "{request} HTTP/1.0\r\nHost: x\r\nConnection: close\r\n{header}\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(" 200 "), "{request}: {answer}");
    serde_json::from_str(body).unwrap_or_default()
}

#[track_caller]
fn stop(server: Serve) {
    server.signal(Signal::TERM);
    let (status, log) = server.wait();
    assert!(status.success(), "{log}");
}
