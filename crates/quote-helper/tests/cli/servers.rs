//! All commands that serve: each gives up the same rights, and writes its own places alone.

use std::collections::BTreeSet;
use std::fs::{self, File};

use rustix::process::{Pid, Signal, kill_process};

use crate::probe::{Probe, REFUSED, threads};
use crate::support::{KilledOnDrop, Machine, eventually, kernel_has_landlock};

/// A command that serves, as a test runs it.
struct Server {
    command: &'static str,
    arguments: &'static str,
    /// The log says this once it serves.
    serving: &'static str,
    /// Directories below which it may write, and no others.
    writable: &'static [&'static str],
}

const SERVERS: [Server; 4] = [
    Server {
        command: "serve",
        arguments: "--platform software --socket run/aesm.socket --state-dir state \
                    --metrics-listen unix:metrics/metrics.socket",
        serving: "serving quotes",
        writable: &["run", "state", "metrics"],
    },
    Server {
        command: "collateral serve",
        arguments: "--mode offline --listen 127.0.0.1:0 --state-dir server",
        serving: "serving collateral",
        writable: &["server"],
    },
    Server {
        command: "device-plugin",
        arguments: "--epc-size 1GiB --epc-accounting devices --plugin-dir plugins --cdi-dir cdi",
        serving: "cannot reach the kubelet",
        writable: &["plugins", "cdi"],
    },
    Server {
        command: "webhook",
        arguments: "--listen 127.0.0.1:0 --namespace here",
        serving: "serving admission reviews",
        writable: &[],
    },
];

/// Starts this server, and waits until it serves.
fn start(server: &Server, machine: &Machine, probe: &Probe) -> KilledOnDrop {
    let Server { command, arguments, serving, .. } = server;
    machine.write("kubeconfig", crate::support::KUBECONFIG);
    let mut command = machine.command(&format!("{command} {arguments}"));
    command.env("KUBECONFIG", machine.path("kubeconfig"));
    command.stderr(File::create(machine.path("log")).unwrap());
    let running = KilledOnDrop(probe.attach(&mut command).spawn().unwrap());
    eventually(serving, || String::from_utf8_lossy(&machine.read("log")).contains(serving));
    running
}

/// The command lines below this one whose help has `--log-format`.
fn commands_with_a_log(machine: &Machine, command: &str) -> BTreeSet<String> {
    let help = machine.succeed(&format!("{command} --help")).stdout;
    let listed = help.split("\nCommands:\n").nth(1).unwrap_or_default();
    let names = listed.lines().take_while(|line| line.starts_with("  "));
    let names = names
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next());
    let below = names.filter(|name| *name != "help").map(|name| format!("{command} {name}"));
    let mut found: BTreeSet<_> =
        below.flat_map(|command| commands_with_a_log(machine, &command)).collect();
    if help.contains("--log-format") {
        found.insert(command.trim().to_owned());
    }
    found
}

#[test]
fn every_command_that_serves_is_known_here() {
    let known = SERVERS.map(|server| server.command.to_owned());
    assert_eq!(commands_with_a_log(&Machine::new(), ""), BTreeSet::from(known));
}

#[test]
fn every_server_gains_no_rights_and_leaves_no_core() {
    for server in &SERVERS {
        let machine = Machine::new();
        let probe = Probe::new(&machine, "told", &[]);
        let running = start(server, &machine, &probe);
        hardened(running.pid(), server.command);
        assert_eq!(probe.ask(running.pid()).dumpable(), Some(0), "{}", server.command);
    }
}

/// Checks what the kernel says of a process.
pub(crate) fn hardened(pid: Pid, what: &str) {
    let threads = threads(pid);
    assert!(!threads.is_empty());
    for thread in threads {
        let status = fs::read_to_string(thread.join("status")).unwrap();
        assert!(status.contains("NoNewPrivs:\t1"), "{what}: {status}");
        assert!(status.contains("Umask:\t0077"), "{what}: {status}");
    }
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{what}");
}

#[test]
fn a_hangup_ends_no_server_and_is_logged() {
    for server in &SERVERS {
        let machine = Machine::new();
        let mut running = start(server, &machine, &Probe::new(&machine, "told", &[]));
        let log = || String::from_utf8(machine.read("log")).unwrap();
        for number in 1..=3 {
            kill_process(running.pid(), Signal::HUP).unwrap();
            eventually(server.command, || log().matches("SIGHUP: ").count() == number);
        }
        assert_eq!(running.0.try_wait().unwrap(), None, "{}: {}", server.command, log());
    }
}

#[test]
fn every_server_writes_its_own_places_alone() {
    if !kernel_has_landlock() {
        return;
    }
    for server in &SERVERS {
        let machine = Machine::new();
        let inside: Vec<_> = server.writable.iter().map(|place| format!("{place}/file")).collect();
        fs::create_dir(machine.path("outside")).unwrap();
        let outside = ["outside/file", "file", "kubeconfig"];
        let paths = [&outside[..], &inside.iter().map(String::as_str).collect::<Vec<_>>()].concat();
        let probe = Probe::new(&machine, "told", &paths);
        let running = start(server, &machine, &probe);
        let answers = probe.ask(running.pid());
        for path in outside {
            let answer = answers.writing(&machine.path(path));
            assert_eq!(answer, Some(REFUSED), "{}: {path}", server.command);
        }
        for path in inside {
            assert_eq!(
                answers.writing(&machine.path(&path)),
                Some(0),
                "{}: {path}",
                server.command
            );
        }
    }
}

#[test]
fn a_device_plugin_whose_directory_was_replaced_ends_to_be_started_again() {
    if !kernel_has_landlock() {
        return;
    }
    let machine = Machine::new();
    let [.., plugin, _] = &SERVERS;
    let mut running = start(plugin, &machine, &Probe::new(&machine, "told", &[]));
    fs::rename(machine.path("plugins"), machine.path("former")).unwrap();
    fs::create_dir(machine.path("plugins")).unwrap();
    assert_eq!(running.0.wait().unwrap().code(), Some(1));
    let log = String::from_utf8(machine.read("log")).unwrap();
    assert!(log.contains("plugins was replaced by another directory"), "{log}");
    // An end that was asked for is another one.
    let running = start(plugin, &machine, &Probe::new(&machine, "told", &[]));
    kill_process(running.pid(), Signal::TERM).unwrap();
    let mut running = running;
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
}
