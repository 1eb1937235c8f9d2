//! Input files: regular files and open pipes are read; named pipes are rejected without blocking.

use std::process::{Command, Stdio};

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::support::{Machine, RunResult, SERVE};

fn make_pipe(machine: &Machine, name: &str) {
    mknodat(CWD, machine.path(name), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
}

#[test]
fn a_named_pipe_instead_of_a_file_is_an_error_at_once() {
    let machine = Machine::new();
    let _serve = machine.serve();
    make_pipe(&machine, "pipe");
    for line in [
        "inspect pipe",
        "verify pipe",
        "quote --socket aesm.socket --report pipe --out q.bin",
        "collateral import pipe --cache-dir cache",
        "collateral fetch --cache-dir cache --trusted-root pipe",
        "collateral fetch --cache-dir cache --source http://127.0.0.1:1 --ca-file pipe",
        "collateral list --cache-dir cache --config pipe",
        "platform init --state-dir new --deployment pipe",
        "serve --socket new.socket --state-dir new --config pipe",
        "collateral serve --state-dir new --listen 127.0.0.1:0 --user-token-file pipe",
    ] {
        let ended = machine.run(line);
        assert!(matches!(ended.code, Some(1 | 2)), "{line}: {ended:?}");
        assert!(ended.stderr.contains("regular file"), "{line}: {}", ended.stderr);
    }
}

#[test]
fn a_named_pipe_in_the_state_is_an_error_at_once() {
    for file in ["deployment.json", "machine.json", "tcb.json", "attestation-key.sealed"] {
        let machine = Machine::new();
        machine.succeed("platform init --state-dir state");
        let _ = std::fs::remove_file(machine.path("state").join(file));
        make_pipe(&machine, &format!("state/{file}"));
        machine.run(SERVE).with_code(1).says(&[file, "it is a pipe, not a regular file"]);
    }
}

#[test]
fn files_opened_by_a_shell_are_read() {
    let machine = Machine::new();
    let _serve = machine.serve();
    machine.quote("0102");
    for line in [
        "\"$0\" inspect <(sleep 0.3; cat q.bin)",
        "cat q.bin | \"$0\" inspect /dev/stdin",
        "\"$0\" inspect /dev/stdin < q.bin",
        "mkfifo pipe; (sleep 0.3; cat q.bin) > pipe & \"$0\" inspect /dev/stdin < pipe",
    ] {
        let mut bash = Command::new("bash");
        bash.args(["-c", line, env!("CARGO_BIN_EXE_quote-helper")]).current_dir(machine.path(""));
        bash.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let ended = RunResult::of(&mut bash).with_code(0);
        assert_eq!(ended.stdout, machine.succeed("inspect q.bin").stdout, "{line}");
    }
}

#[test]
fn an_argument_with_a_token_is_not_repeated() {
    let machine = Machine::new();
    for line in [
        "verify q.bin --source https://pccs/?token=s3cret",
        "verify q.bin --source https://ada:s3cret@pccs",
        "collateral fetch --cache-dir cache --source https://pccs/?token=s3cret",
    ] {
        let ended = machine.run(line).with_code(2);
        assert!(!ended.stderr.contains("s3cret"), "{line}: {}", ended.stderr);
    }
}
