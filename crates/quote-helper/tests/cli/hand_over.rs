//! A new instance takes the socket over from the running one, and no client notices.

use std::cell::RefCell;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use aesm_client::AesmClient;
use aesm_client::unix::AesmClientExt;
use rustix::process::Signal;
use sgx::{AttestationKeyId, FromBytes, IntoBytes, ReportData, TargetInfo};
use sockets::handover::Message;
use software_platform::{EnclaveIdentity, SoftwareEnclave};

use crate::attacker::Attacker;
use crate::support::{Machine, RunResult, SERVE, Serve, SetOnDrop, eventually, inode};

/// The clients that ask at the same time.
const CLIENTS: usize = 8;

/// Without a port, which each of them could have for itself.
const SERVE_ALONE: &str =
    "serve --platform software --socket aesm.socket --state-dir state --log-format json";

/// One quote as Fortanix's client gets it, which asks for nothing twice.
fn quote(client: &AesmClient) {
    let key_id = AttestationKeyId::ecdsa_p256().as_bytes().to_vec();
    let info = client.init_quote_ex(key_id.clone()).unwrap();
    let target_info = TargetInfo::read_from_bytes(info.target_info()).unwrap();
    let enclave = SoftwareEnclave::new(EnclaveIdentity::default());
    let report = enclave.report(&target_info, ReportData([7; 64])).as_bytes().to_vec();
    client.get_quote_ex(key_id, report, None, vec![0; 16]).unwrap();
}

/// Gets one quote from the service of this machine.
pub(crate) fn quote_once(machine: &Machine) {
    quote(&AesmClient::with_path(machine.socket()));
}

/// Lets clients get quotes while `disturb` does its work; none may fail. Gives their number.
pub(crate) fn quotes_meanwhile(machine: &Machine, disturb: impl FnOnce(&AtomicUsize)) -> usize {
    let (quotes, end) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let client = AesmClient::with_path(machine.socket());
                while !end.load(Ordering::Relaxed) {
                    quote(&client);
                    quotes.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let finally = SetOnDrop(&end);
        disturb(&quotes);
        drop(finally);
    });
    quotes.into_inner()
}

/// Has got the sockets of the running instance, as a new one would.
fn successor(machine: &Machine) -> Attacker {
    Attacker::with_secret(machine)
}

fn hand_overs(machine: &Machine, number: usize) {
    let mut serve = machine.serve();
    let before = inode(&machine.socket());
    // The same addresses again, which its predecessor still has.
    let again = SERVE.replacen("127.0.0.1:0", &serve.pccs().replace("http://", ""), 1).replacen(
        "127.0.0.1:0",
        serve.metrics_address(),
        1,
    );
    let quotes = quotes_meanwhile(machine, |quotes| {
        for _ in 0..number {
            let begin = quotes.load(Ordering::Relaxed);
            let new = Serve::start(&mut machine.command(&again));
            let (status, log) = std::mem::replace(&mut serve, new).wait();
            assert_eq!(status.code(), Some(0), "{log}");
            assert_eq!(inode(&machine.socket()), before);
            eventually("quotes are made", || {
                quotes.load(Ordering::Relaxed).saturating_sub(begin) > CLIENTS
            });
        }
    });
    assert!(quotes > number.saturating_mul(CLIENTS), "{quotes}");
    let metrics = serve.metrics();
    assert!(metrics.contains("quote_helper_hand_overs_total{direction=\"taken\"} 1"), "{metrics}");
    serve.signal(Signal::TERM);
    assert_eq!(serve.wait().0.code(), Some(0));
    assert!(!machine.socket().exists());
    assert!(!machine.control().exists());
}

/// The applications' directory may be mounted into any container.
#[test]
fn applications_see_their_socket_and_nothing_else() {
    let machine = Machine::new();
    let line = SERVE_ALONE.replace("aesm.socket", "aesmd/aesm.socket");
    let see = || machine.names("aesmd");
    let old = Serve::start(&mut machine.command(&line));
    assert_eq!(see(), ["aesm.socket"]);
    let control = machine.control();
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&control), 0o600);
    assert_eq!(mode(&machine.path("state/hand-over")), 0o700);
    assert_eq!(mode(&machine.path("state/hand-over/secret")), 0o600);
    let attacker = successor(&machine);
    assert_eq!(see(), ["aesm.socket"], "while a successor prepares");
    drop(attacker);
    let new = Serve::start(&mut machine.command(&line));
    assert_eq!(old.wait().0.code(), Some(0));
    assert_eq!(see(), ["aesm.socket"], "after a hand-over");
    new.signal(Signal::TERM);
    new.wait();
    assert!(see().is_empty());
    assert_eq!(machine.names("state/hand-over"), ["secret"]);
}

#[test]
fn hand_overs_fail_no_quote() {
    hand_overs(&Machine::new(), 12);
}

#[test]
fn quotes_of_workers_go_on_over_hand_overs() {
    let machine = Machine::new();
    let line = format!("{SERVE_ALONE} --isolate --workers 1");
    let mut serve = Serve::start(&mut machine.command(&line));
    quotes_meanwhile(&machine, |_| {
        for _ in 0..3 {
            let new = Serve::start(&mut machine.command(&line));
            let (status, log) = std::mem::replace(&mut serve, new).wait();
            assert_eq!(status.code(), Some(0), "{log}");
        }
    });
}

#[test]
fn both_say_in_their_logs_who_the_other_is() {
    let machine = Machine::new();
    let old = machine.serve();
    let new = machine.serve();
    let [of_old, of_new] = [&old, &new].map(|serve| format!("process {}", serve.pid()));
    let (_, log) = old.wait();
    assert!(log.contains("a new instance serves"), "{log}");
    assert!(log.contains(&of_new), "{log}");
    new.signal(Signal::TERM);
    let (_, log) = new.wait();
    assert!(log.contains("the predecessor has handed over"), "{log}");
    assert!(log.contains(&of_old), "{log}");
}

#[test]
fn a_successor_that_dies_before_it_serves_has_taken_nothing() {
    let machine = Machine::new();
    let serve = machine.serve();
    let before = inode(&machine.socket());
    quotes_meanwhile(&machine, |_| {
        for _ in 0..20 {
            drop(successor(&machine));
            thread::sleep(Duration::from_millis(10));
        }
    });
    assert_eq!(inode(&machine.socket()), before);
    // One that has the sockets and then cannot go on, here for want of its port.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    machine
        .run(&format!("{SERVE_ALONE} --metrics-listen {address}"))
        .with_code(1)
        .says(&["cannot serve metrics at", "in use"]);
    assert_eq!(inode(&machine.socket()), before);
    machine.quote("07");
    let _new = machine.serve();
    let (status, log) = serve.wait();
    assert_eq!(status.code(), Some(0));
    assert!(log.contains("the new instance does not serve; this one continues"), "{log}");
}

/// Killed at any moment, some before, some while, some after they have taken over.
#[test]
fn instances_that_are_killed_while_they_start_leave_a_service_or_its_place() {
    let machine = Machine::new();
    let mut serve = machine.serve();
    for wait in (0..60).step_by(5) {
        let mut new = machine.command(SERVE_ALONE).spawn().unwrap();
        thread::sleep(Duration::from_millis(wait));
        new.kill().unwrap();
        new.wait().unwrap();
        if machine.try_quote("07").code == Some(0) {
            continue;
        }
        // It had taken over, and nobody is left but to start again.
        assert_eq!(serve.wait().0.code(), Some(0));
        serve = machine.serve();
        machine.quote("07");
    }
}

#[test]
fn of_instances_that_start_at_once_one_is_left() {
    let machine = Machine::new();
    machine.succeed("platform init --state-dir state");
    let started: Vec<_> = (0..4)
        .map(|_| machine.command(SERVE_ALONE).stderr(std::process::Stdio::null()).spawn().unwrap())
        .collect();
    let started = RefCell::new(started);
    let left =
        || started.borrow_mut().iter_mut().filter_map(|serve| serve.try_wait().unwrap()).count();
    eventually("all but one have ended", || left() == 3);
    let mut started = started.into_inner();
    for serve in &mut started {
        if let Some(status) = serve.try_wait().unwrap() {
            assert_eq!(status.code(), Some(0));
        }
    }
    machine.quote("07");
    assert!(!machine.names("state/hand-over").iter().any(|name| name.ends_with(".lock")));
    for serve in &mut started {
        let _ = serve.kill();
        serve.wait().unwrap();
    }
}

#[test]
fn an_instance_may_wait_to_be_told_to_end() {
    let machine = Machine::new();
    let waits = format!("{SERVE_ALONE} --after-hand-over wait --metrics-listen 127.0.0.1:0");
    let old = Serve::start(&mut machine.command(&waits));
    let before = inode(&machine.socket());
    let new = Serve::start(&mut machine.command(&waits));
    let given = "quote_helper_hand_overs_total{direction=\"given\"} 1";
    eventually("the old one still tells how it is", || old.metrics().contains(given));
    machine.quote("07");
    old.signal(Signal::TERM);
    let (status, log) = old.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("waiting for SIGTERM"), "{log}");
    assert_eq!(inode(&machine.socket()), before);
    machine.quote("08");
    drop(new);
}

/// Else nobody would serve: the one is gone, and the other one waits.
#[test]
fn an_instance_that_waits_ends_when_its_successor_has_gone() {
    let machine = Machine::new();
    let waits = format!("{SERVE_ALONE} --after-hand-over wait");
    for signal in [Signal::TERM, Signal::KILL] {
        let old = Serve::start(&mut machine.command(&waits));
        let new = Serve::start(&mut machine.command(&waits));
        new.signal(signal);
        new.wait();
        let (status, log) = old.wait();
        assert_eq!(status.code(), Some(1), "{log}");
        assert!(log.contains("start this instance again"), "{log}");
    }
}

#[test]
fn garbage_and_silence_at_the_control_socket_hurt_nobody() {
    let machine = Machine::new();
    let serve = machine.serve();
    let connect = || UnixStream::connect(machine.control()).unwrap();
    let half = Message::Hello([7; 32]).to_frame();
    let (mut kept, mut new) = (Vec::new(), None);
    quotes_meanwhile(&machine, |_| {
        for number in 0..100_u8 {
            let mut stream = connect();
            match number % 3 {
                0 => stream.write_all(&half[..64]).unwrap(),
                // It may have been closed at the first frame.
                1 => drop(stream.write_all(&[number; 4096])),
                _ => {}
            }
            kept.push(stream);
        }
        new = Some(machine.serve());
        assert_eq!(serve.wait().0.code(), Some(0));
    });
    drop(new);
}

#[test]
fn an_instance_that_hangs_is_named_and_its_place_can_be_taken() {
    let machine = Machine::new();
    let hanging = machine.serve();
    hanging.signal(Signal::STOP);
    let pid = format!("process {} (quote-helper", hanging.pid());
    machine.run(SERVE).with_code(1).says(&[&pid, "no message for 5s", "--take-over"]);
    let _serve = Serve::start(&mut machine.command(&format!("{SERVE} --take-over")));
    machine.quote("07");
    hanging.signal(Signal::CONT);
    hanging.signal(Signal::TERM);
    assert_eq!(hanging.wait().0.code(), Some(0));
    machine.quote("08");
}

/// With the rights of another user, if the test has the rights for that.
fn as_nobody(command: &mut Command) -> &mut Command {
    command.uid(65534).gid(65534).env("HOME", "/nonexistent")
}

#[test]
fn another_user_gets_no_sockets_and_is_told_who_serves() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let machine = Machine::new();
    let open = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let root = machine.path("");
    open(&root, 0o777);
    let program = root.join("quote-helper");
    std::fs::copy(env!("CARGO_BIN_EXE_quote-helper"), &program).unwrap();
    let line = SERVE_ALONE.replace("--state-dir state", "--state-dir state-of-nobody");
    let of_nobody = || {
        let mut command = Command::new(&program);
        command.args(line.split_whitespace()).current_dir(&root).env_clear();
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        as_nobody(&mut command);
        command
    };
    let serve = machine.serve();
    RunResult::of(&mut of_nobody())
        .with_code(1)
        .says(&["another service is listening", "of user 0"]);
    serve.signal(Signal::TERM);
    assert_eq!(serve.wait().0.code(), Some(0));

    let _serve = Serve::start(&mut of_nobody());
    machine.run(SERVE).with_code(1).says(&["another service is listening", "of user 65534"]);
}
