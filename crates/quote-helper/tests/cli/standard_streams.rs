//! `-` as standard input and standard output.

use std::fs::File;
use std::process::Command;

use crate::support::{Machine, RunResult};

/// A machine with a quote of its software platform, and the inputs of other commands.
fn machine() -> Machine {
    let machine = Machine::new();
    machine.succeed("platform init --state-dir state");
    machine.succeed("platform collateral --state-dir state --out collateral.json");
    machine.succeed("platform root --state-dir state --out root.pem");
    machine.succeed(
        "quote --in-process --platform software --state-dir state --report-data 07 --out q.bin",
    );
    machine.write("pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {}\n");
    machine
}

fn fed(machine: &Machine, line: &str, file: &str) -> RunResult {
    RunResult::of(machine.command(line).stdin(File::open(machine.path(file)).unwrap()))
}

#[test]
fn every_command_reads_standard_input_as_it_reads_a_file() {
    let machine = machine();
    let verify = "verify --trusted-root root.pem --collateral collateral.json";
    for (line, file) in [
        ("inspect {}", "q.bin"),
        (&*format!("{verify} {{}}"), "q.bin"),
        ("verify q.bin --trusted-root root.pem --collateral {}", "collateral.json"),
        ("verify q.bin --trusted-root {} --collateral collateral.json", "root.pem"),
        ("inject --file {}", "pod.yaml"),
        (
            "manifests --enable-sgxquotehelper --platform software --deployment {}",
            "state/deployment.json",
        ),
        ("manifests --pccs-url https://pccs:8081 --pccs-ca {}", "root.pem"),
    ] {
        let named = machine.succeed(&line.replace("{}", file));
        let piped = fed(&machine, &line.replace("{}", "-"), file).with_code(0);
        assert_eq!(piped.stdout, named.stdout, "{line}");
    }
    fed(&machine, "platform init --state-dir other --deployment -", "state/deployment.json")
        .with_code(0);
    assert_eq!(machine.read("other/deployment.json"), machine.read("state/deployment.json"));
}

#[test]
fn every_command_writes_to_standard_output_what_it_writes_to_a_file() {
    let machine = machine();
    for line in [
        "platform root --state-dir state --out {}",
        "quote --in-process --platform software --state-dir state --target-info {}",
    ] {
        machine.succeed(&line.replace("{}", "file"));
        let mut piped = machine.command(&line.replace("{}", "-"));
        let output = piped.output().unwrap();
        assert_eq!(output.stdout, machine.read("file"), "{line}");
        assert_eq!(output.stderr, b"", "{line}");
        assert!(!machine.path("-").exists(), "{line}");
    }
    let quote = "quote --in-process --platform software --state-dir state --report-data 07 --out -";
    let quote = machine.command(quote).output().unwrap();
    assert_eq!(quote.stdout.len(), machine.read("q.bin").len());
    assert_eq!(quote.stderr, b"");
    let collateral = machine.succeed("platform collateral --state-dir state --out -");
    assert!(collateral.json()["tcb_info"].is_string());
}

#[test]
fn commands_are_joined_by_pipes() {
    let machine = machine();
    let ended = bash(
        &machine,
        "\"$0\" quote --in-process --platform software --state-dir state --report-data 07 --out - |
         \"$0\" verify - --trusted-root <(\"$0\" platform root --state-dir state --out -) \
             --collateral <(\"$0\" platform collateral --state-dir state --out -)",
    );
    assert!(ended.stdout.starts_with("TRUSTED"), "{ended:?}");
}

#[test]
fn standard_input_is_one_file() {
    let machine = machine();
    for line in ["verify q.bin --trusted-root - --collateral -", "verify - --trusted-root -"] {
        fed(&machine, line, "root.pem")
            .with_code(2)
            .says(&["`-` (standard input) can stand for one file only"]);
    }
}

#[test]
fn messages_name_standard_input() {
    let machine = machine();
    for (line, message) in [
        ("inspect -", "cannot recognize standard input"),
        ("verify q.bin --trusted-root -", "cannot trust standard input"),
        ("inject --file -", "cannot read standard input: it is not YAML"),
    ] {
        machine.write("garbage", "{");
        let ended = fed(&machine, line, "garbage");
        assert_ne!(ended.code, Some(0), "{line}");
        ended.says(&[message]);
    }
}

#[test]
fn binary_data_is_not_written_to_a_terminal_unless_that_is_named() {
    let machine = machine();
    // `script` of util-linux runs a command in a terminal of its own.
    let in_terminal = |line: &str| {
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--command"]).arg(line).arg("/dev/null");
        script.current_dir(machine.path("")).env("BIN", env!("CARGO_BIN_EXE_quote-helper"));
        let output = script.output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let target_info =
        "\"$BIN\" quote --in-process --platform software --state-dir state --target-info";
    let (code, shown) = in_terminal(&format!("{target_info} -"));
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.contains("binary data, which would garble the terminal"), "{shown}");
    assert_eq!(in_terminal(&format!("{target_info} /dev/stdout")).0, Some(0));
    let (code, shown) = in_terminal("\"$BIN\" platform root --state-dir state --out -");
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("BEGIN CERTIFICATE"), "{shown}");
}

fn bash(machine: &Machine, line: &str) -> RunResult {
    let mut bash = Command::new("bash");
    bash.args(["-o", "pipefail", "-c", line, env!("CARGO_BIN_EXE_quote-helper")]);
    bash.current_dir(machine.path("")).env_clear().env("PATH", "/usr/bin:/bin");
    bash.stdin(std::process::Stdio::null());
    bash.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    RunResult::of(&mut bash).with_code(0)
}
