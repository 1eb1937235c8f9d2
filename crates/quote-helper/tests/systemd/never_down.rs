//! Reload, upgrade, crash and stop, as applications see them.

use std::io::{Read, Write};
use std::thread::sleep;
use std::time::Duration;

use aesm::Request;

use crate::machine::{Machine, QUOTE_SERVICE, eventually};

const SERVICE: &str = "sgx-quote-helper.service";
/// The software platform as Intel's library is served, by workers.
const WORKERS: &str = "platform = 'software'\nisolate = true\nworkers = 2\n";

/// The processes of the service.
fn processes(machine: &Machine) -> Vec<String> {
    let group = machine.property(SERVICE, "ControlGroup");
    let processes = machine.succeed(&format!("cat /sys/fs/cgroup{group}/cgroup.procs"));
    processes.lines().map(str::to_owned).collect()
}

#[test]
#[ignore = "needs root and an installation: just systemd-test"]
fn a_reload_replaces_the_workers_and_fails_no_quote() {
    let machine = Machine::boot();
    machine.start_quote_service(WORKERS);
    let main = machine.property(SERVICE, "MainPID");
    let workers = || {
        let processes = processes(&machine).into_iter();
        let workers: Vec<_> = processes.filter(|process| *process != main).collect();
        // While they start there are more processes.
        (workers.len() == 2).then_some(workers)
    };
    let before = eventually("two workers", workers);
    let load = machine.under_load(|| {
        machine.succeed(&format!("systemctl reload {SERVICE}"));
        eventually("new workers", || {
            workers()?.iter().all(|worker| !before.contains(worker)).then_some(())
        });
    });
    assert_eq!(load["errors"], 0, "{load}");
    assert!(load["requests"].as_u64().unwrap() > 0);
    assert_eq!(machine.property(SERVICE, "MainPID"), main);
    assert!(machine.journal().contains("replacing the workers"));
}

#[test]
#[ignore = "needs root and an installation: just systemd-test"]
fn an_upgrade_fails_no_quote() {
    let machine = Machine::boot();
    machine.start_quote_service(WORKERS);
    let program = "/usr/local/bin/quote-helper";
    let load = machine.under_load(|| {
        // As package managers and `install` replace a file.
        machine.succeed(&format!("cp {program} {program}.new && mv {program}.new {program}"));
        for _ in 0..3 {
            machine.succeed(&format!("systemctl restart {SERVICE}"));
        }
    });
    assert_eq!(load["errors"], 0, "{load}");
    let main = machine.property(SERVICE, "MainPID");
    let running = machine.succeed(&format!("readlink /proc/{main}/exe"));
    assert_eq!(running.trim(), program);
}

#[test]
#[ignore = "needs root and an installation: just systemd-test"]
fn a_service_that_was_killed_is_started_again_while_clients_wait() {
    let machine = Machine::boot();
    machine.start_quote_service(WORKERS);
    machine.succeed(&format!("systemctl kill --kill-whom=main --signal=KILL {SERVICE}"));
    machine.quote();
    assert_eq!(machine.property(SERVICE, "NRestarts"), "1");
    assert_eq!(machine.property(SERVICE, "ActiveState"), "active");
    let journal = machine.journal();
    assert!(journal.contains("code=killed, status=9/KILL"), "{journal}");
}

#[test]
#[ignore = "needs root and an installation: just systemd-test"]
fn a_stop_finishes_what_was_accepted_and_the_socket_starts_it_again() {
    let machine = Machine::boot();
    machine.start_quote_service("platform = 'software'\n");
    let request = Request::GetSupportedAttKeyIdNum.to_frame(None);
    let (begin, rest) = request.split_at(3);
    let mut client = machine.connect();
    client.write_all(begin).unwrap();
    // For the connection to be accepted.
    sleep(Duration::from_millis(500));
    machine.succeed(&format!("systemctl stop --no-block {SERVICE}"));
    eventually("the end to begin", || {
        (machine.property(SERVICE, "ActiveState") == "deactivating").then_some(())
    });
    client.write_all(rest).unwrap();
    client.read_exact(&mut [0; 11]).expect("a reply");
    eventually("the end", || {
        (machine.property(SERVICE, "ActiveState") == "inactive").then_some(())
    });
    assert_eq!(machine.property(SERVICE, "Result"), "success");

    // A client that connects now is served by a new instance.
    machine.quote();
    assert_eq!(machine.property(SERVICE, "ActiveState"), "active");
    machine.succeed(&format!("systemctl stop {QUOTE_SERVICE}"));
    assert_eq!(machine.property(SERVICE, "ActiveState"), "inactive");
}
