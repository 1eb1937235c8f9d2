//! Nothing falls back to the software platform: it must be chosen.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use sgx::AesmError;
use test_support::provider::Provider;

use crate::support::{Machine, RunResult, Serve, eventually};

/// A service without a chosen platform, beside a software platform.
const UNTOLD: &str = "serve --socket aesm.socket --state-dir state --metrics-listen 127.0.0.1:0 \
     --workers 1 --log-format json";

fn is_ready(serve: &Serve) -> bool {
    serve.get("/readyz").starts_with("HTTP/1.1 200 ")
}

#[test]
fn a_service_without_sgx_and_platform_is_not_ready() {
    let machine = Machine::new();
    machine.succeed("platform init --state-dir state");
    let serve = Serve::start(&mut machine.command(UNTOLD));
    eventually("the library is named", || {
        let answer = serve.get("/readyz");
        answer.starts_with("HTTP/1.1 503 ") && answer.contains("libsgx_qe3_logic.so.1")
    });
    assert!(serve.metrics().contains("platform=\"dcap\""), "{}", serve.metrics());
    machine
        .run("quote --socket aesm.socket --report-data 07 --out q.bin")
        .with_code(1)
        .says(&[AesmError::ServiceUnavailable.name()]);
    serve.signal(rustix::process::Signal::TERM);
    let (_, log) = serve.wait();
    for said in ["/dev/sgx_enclave is missing", "libsgx_qe3_logic.so.1", "--platform software"] {
        assert!(log.contains(said), "{said}: {log}");
    }
}

#[test]
fn a_service_waits_for_a_late_library() {
    let provider = Provider::build();
    let machine = Machine::new();
    let line = format!("{UNTOLD} --dcap-library {}", machine.path("late.so").display());
    let serve = Serve::start(&mut machine.command(&line));
    assert!(!is_ready(&serve));
    fs::copy(provider.library(), machine.path("new.so")).unwrap();
    fs::rename(machine.path("new.so"), machine.path("late.so")).unwrap();
    eventually("it is ready", || is_ready(&serve));
    machine.quote("07");
}

/// The device is in neither the sandbox nor the list of devices of systemd when it comes late.
#[test]
#[expect(clippy::print_stderr, reason = "says that nothing was tested")]
fn a_service_restarts_for_a_late_device() {
    let machine = Machine::new();
    let devices = machine.path("dev");
    let Some(mut command) = with_devices(&machine, &devices) else {
        eprintln!("skipped: this machine allows no user namespaces");
        return;
    };
    let serve = Serve::start(&mut command);
    fs::write(devices.join("sgx_enclave"), "").unwrap();
    let (status, log) = serve.wait();
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(log.contains("/dev/sgx_enclave is missing"), "{log}");
    assert!(log.contains("/dev/sgx_enclave has appeared"), "{log}");
    assert!(log.contains("start it again"), "{log}");
}

/// The service with this directory as its /dev.
fn with_devices(machine: &Machine, devices: &Path) -> Option<Command> {
    let mut unshare = Command::new("unshare");
    unshare.args(["--map-root-user", "--mount", "true"]).stderr(Stdio::null());
    if !unshare.status().is_ok_and(|status| status.success()) {
        return None;
    }
    fs::create_dir(devices).unwrap();
    fs::write(devices.join("null"), "").unwrap();
    let script = "mount --bind /dev/null \"$0/null\" && mount --rbind \"$0\" /dev && exec \"$@\"";
    let program = machine.command(UNTOLD);
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", script]).arg(devices);
    command.arg(program.get_program()).args(program.get_args());
    command.current_dir(machine.path("")).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command.stdin(Stdio::null()).stderr(Stdio::piped());
    Some(command)
}

#[test]
fn a_quote_in_this_process_is_not_of_the_software_platform_either() {
    let machine = Machine::new();
    machine.succeed("platform init --state-dir state");
    machine
        .run("quote --in-process --state-dir state --report-data 07 --out q.bin")
        .with_code(1)
        .says(&["libsgx_qe3_logic.so.1", "QUOTE_HELPER_PLATFORM=software"]);
    assert!(!machine.path("q.bin").exists());
}

#[test]
fn the_platform_of_earlier_versions_that_fell_back_is_an_error() {
    let machine = Machine::new();
    let mut command = machine.command(UNTOLD);
    RunResult::of(command.env("QUOTE_HELPER_PLATFORM", "auto"))
        .with_code(2)
        .says(&["the platform `auto` was removed", "expected `dcap` or `software`"]);
}
