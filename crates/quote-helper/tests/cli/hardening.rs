//! Privileges that `serve` and its workers drop, and directories that they refuse.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::time::Duration;

use rustix::process::{Signal, getegid};

use crate::probe::Probe;
use crate::servers::hardened;
use crate::support::{Machine, SERVE, Serve, eventually, is_root, kernel_has_landlock};

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn service_and_workers_gain_no_rights_and_leave_no_core() {
    let machine = Machine::new();
    fs::create_dir(machine.path("run")).unwrap();
    let probe = Probe::new(&machine, "run/told", &[]);
    let line = SERVE.replace("aesm.socket", "run/aesm.socket");
    let mut command = machine.command(&format!("{line} --isolate --workers 2"));
    let serve = Serve::start(probe.attach(&mut command));
    machine.succeed("quote --socket run/aesm.socket --report-data 07 --out q.bin");
    let processes = [vec![serve.pid()], serve.children()].concat();
    assert_eq!(processes.len(), 3);
    for pid in processes {
        hardened(pid, "serve");
        assert_eq!(probe.ask(pid).dumpable(), Some(0), "{pid} is dumpable");
    }
}

#[test]
fn the_sandbox_is_said_and_can_be_turned_off() {
    let machine = Machine::new();
    machine.write("config.toml", "sandbox = false\n");
    let on = if kernel_has_landlock() { "in the sandbox" } else { "no sandbox" };
    for (line, said) in [
        ("", on),
        ("--config config.toml", "the sandbox is disabled"),
        ("--config config.toml --sandbox true", on),
        ("--sandbox=false", "the sandbox is disabled"),
    ] {
        let serve = Serve::start(&mut machine.command(&format!("{SERVE} {line}")));
        machine.quote("07");
        serve.signal(Signal::TERM);
        let (status, log) = serve.wait();
        assert!(status.success());
        assert!(log.contains(said), "{line}: {log}");
    }
}

/// A worker's library that tries to write where `TRY_TO_WRITE` says, and tells in `TOLD` what
/// became of it.
const CURIOUS_LIBRARY: &str = r#"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
__attribute__((constructor)) static void look(void) {
    const char *place = getenv("TRY_TO_WRITE"), *told = getenv("TOLD");
    if (!place || !told) return;
    int file = open(place, O_WRONLY | O_CREAT, 0666);
    FILE *out = fopen(told, "w");
    if (!out) return;
    fprintf(out, "%s", file < 0 ? strerror(errno) : "written");
    fclose(out);
}
"#;

/// The error that a worker's library gets when it writes to `outside/file`.
fn worker_writes_outside(more: &str) -> String {
    let machine = Machine::new();
    fs::create_dir(machine.path("outside")).unwrap();
    fs::create_dir(machine.path("run")).unwrap();
    machine.write("curious.c", CURIOUS_LIBRARY);
    let compiled = std::process::Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([machine.path("curious.so"), machine.path("curious.c")])
        .status();
    assert!(compiled.unwrap().success());
    let line = format!(
        "serve --platform dcap --dcap-library {} --socket run/aesm.socket --state-dir state \
         --log-format json --metrics-listen 127.0.0.1:0 --workers 1 {more}",
        machine.path("curious.so").display(),
    );
    let mut command = machine.command(&line);
    command.env("HOME", machine.path("run")).env("TOLD", machine.path("run/told"));
    command.env("TRY_TO_WRITE", machine.path("outside/file"));
    let serve = Serve::start(&mut command);
    eventually("the library was loaded", || machine.path("run/told").exists());
    eventually("it has told", || !machine.read("run/told").is_empty());
    serve.signal(Signal::TERM);
    serve.wait();
    String::from_utf8(machine.read("run/told")).unwrap()
}

#[test]
fn a_worker_cannot_write_outside_of_the_sandbox() {
    assert_eq!(worker_writes_outside("--sandbox false"), "written");
    assert_eq!(worker_writes_outside("--writable-paths outside"), "written");
    if kernel_has_landlock() {
        assert_eq!(worker_writes_outside(""), "Permission denied");
    }
}

#[test]
fn no_thread_of_the_service_can_write_outside_of_the_sandbox() {
    if !kernel_has_landlock() {
        return;
    }
    let machine = Machine::new();
    machine.succeed("platform init --state-dir outside/state");
    machine.succeed("platform tcb --raise --state-dir outside/state");
    let key = machine.path("outside/state/attestation-key.sealed");
    fs::remove_file(&key).unwrap();
    let line = SERVE.replace("aesm.socket", "run/aesm.socket");
    let serve = Serve::start(&mut machine.command(&line));
    // A thread of the pool follows the TCB, and would write a key, through a link that leads out.
    fs::rename(machine.path("state"), machine.path("moved")).unwrap();
    std::os::unix::fs::symlink("outside/state", machine.path("state")).unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    machine.succeed("quote --socket run/aesm.socket --report-data 07 --out q.bin");
    serve.signal(Signal::TERM);
    let (_, log) = serve.wait();
    assert!(!key.exists(), "{log}");
    assert!(log.contains("cannot write state/attestation-key.sealed: Permission denied"), "{log}");
}

#[test]
fn state_is_private_to_its_user() {
    let machine = Machine::new();
    let serve = machine.serve();
    assert_eq!(mode(&machine.path("state")), 0o700);
    let files: Vec<_> = fs::read_dir(machine.path("state")).unwrap().collect();
    assert!(files.len() >= 3, "seed, machine secret and attestation key");
    for file in files {
        let path = file.unwrap().path();
        let expected = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode(&path), expected, "{}", path.display());
    }
    assert_eq!(mode(&machine.socket()), 0o666);
    drop(serve);
}

#[test]
fn the_sockets_directory_is_for_everybody_to_look_at() {
    let machine = Machine::new();
    let line = SERVE.replace("--socket aesm.socket", "--socket run/aesmd/aesm.socket");
    let _serve = Serve::start(&mut machine.command(&line));
    for directory in ["run", "run/aesmd"] {
        assert_eq!(mode(&machine.path(directory)), 0o755, "{directory}");
    }
}

#[test]
fn a_state_directory_that_others_can_change_is_refused() {
    let machine = Machine::new();
    machine.succeed("platform init --state-dir state");
    let refused = |path: &str, texts: &[&str]| {
        for line in [SERVE, "platform show --state-dir state"] {
            let ended = machine.run(line).with_code(1);
            ended.says(&[path]);
            ended.says(texts);
        }
        assert!(!machine.socket().exists());
    };
    for (name, good) in [("state", 0o700), ("state/deployment.json", 0o600)] {
        for wrong in [good | 0o020, good | 0o002, good | 0o1002] {
            set_mode(&machine.path(name), wrong);
            refused(name, &[&format!("mode {wrong:04o}"), &format!("chmod go-w {name}")]);
        }
        set_mode(&machine.path(name), good);
    }
    if is_root() {
        for name in ["state", "state/machine.json"] {
            chown(machine.path(name), Some(54321), None).unwrap();
            machine.run(SERVE).with_code(1).says(&["belongs to user 54321"]);
            chown(machine.path(name), Some(0), None).unwrap();
        }
    }
    machine.succeed("platform show --state-dir state");
}

#[test]
fn a_collateral_server_keeps_its_database_to_itself() {
    let machine = Machine::new();
    let line =
        "collateral serve --listen 127.0.0.1:0 --state-dir kept --mode offline --log-format json";
    let start = || {
        let mut command = machine.command(line);
        let child = command.stdout(std::process::Stdio::null()).spawn().unwrap();
        eventually("it has begun", || machine.path("kept/platforms.redb").exists());
        let modes = [mode(&machine.path("kept")), mode(&machine.path("kept/platforms.redb"))];
        let mut child = child;
        child.kill().unwrap();
        child.wait().unwrap();
        modes
    };
    assert_eq!(start(), [0o700, 0o600]);
    for (name, good) in [("kept", 0o700), ("kept/platforms.redb", 0o600)] {
        set_mode(&machine.path(name), good | 0o022);
        machine.run(line).with_code(1).says(&[name, "chmod go-w"]);
        set_mode(&machine.path(name), good);
    }
}

#[test]
fn a_socket_may_be_for_a_group() {
    let machine = Machine::new();
    let group = getegid().as_raw();
    {
        let line = format!("{SERVE} --socket-group {group}");
        let _serve = Serve::start(&mut machine.command(&line));
        assert_eq!(mode(&machine.socket()), 0o660);
        assert_eq!(fs::metadata(machine.socket()).unwrap().gid(), group);
        machine.quote("07");
    }
    if is_root() {
        let other = Machine::new();
        let _serve = Serve::start(&mut other.command(&format!("{SERVE} --socket-group daemon")));
        assert_eq!(mode(&other.socket()), 0o660);
        assert_ne!(fs::metadata(other.socket()).unwrap().gid(), 0);
    }
}

#[test]
fn a_group_that_is_not_there_is_an_error() {
    let machine = Machine::new();
    machine.run(&format!("{SERVE} --socket-group no-such-group")).with_code(1).says(&[
        "unknown group no-such-group",
        "groupadd",
        "socket_group",
    ]);
    assert!(!machine.socket().exists());
}
