//! A service manager in the way of systemd: its sockets, what it is told, and the units.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use aesm::Request;
use rustix::process::Signal;

use crate::support::{Machine, RunResult, Serve, inode, skipped};

const SERVE: &str =
    "serve --platform software --socket aesm.socket --state-dir state --log-format json";

/// The program, started as systemd does it: with one socket, or two, as its first descriptors after
/// standard input, output and error.
fn activated(machine: &Machine, line: &str, sockets: &[&dyn AsFd]) -> Command {
    let copy = |index: usize| {
        let copy = |socket: &&dyn AsFd| socket.as_fd().try_clone_to_owned().unwrap();
        sockets.get(index).map(copy).map_or_else(Stdio::null, Stdio::from)
    };
    let program = machine.command(line);
    let mut command = Command::new("/bin/sh");
    // The shell has them as standard input and output.
    let script = format!(
        "exec 3<&0 4>&1 </dev/null >/dev/null; LISTEN_FDS={} LISTEN_PID=$$ exec \"$0\" \"$@\"",
        sockets.len()
    );
    command.args(["-c", &script]).arg(program.get_program()).args(program.get_args());
    command.current_dir(machine.path("")).env_clear();
    command.stdin(copy(0)).stdout(copy(1)).stderr(Stdio::piped());
    command
}

#[test]
fn the_socket_of_the_service_manager_outlives_the_service() {
    let machine = Machine::new();
    let listener = UnixListener::bind(machine.socket()).unwrap();
    let before = inode(&machine.socket());
    let http = TcpListener::bind("127.0.0.1:0").unwrap();
    let line = format!("{SERVE} --metrics-listen {}", http.local_addr().unwrap());
    let start = || Serve::start_with_output(&mut activated(&machine, &line, &[&listener, &http]));
    let serve = start();
    machine.quote("07");
    assert!(serve.metrics().contains("quote_helper_request_seconds"));
    serve.signal(Signal::TERM);
    let (status, log) = serve.wait();
    assert_eq!(status.code(), Some(0));
    assert!(!log.contains("not used"), "{log}");
    assert_eq!(inode(&machine.socket()), before);
    assert!(!machine.path("state/hand-over").exists(), "there is no successor to be met");

    // A client that connects while no instance serves waits.
    let mut stream = UnixStream::connect(machine.socket()).unwrap();
    stream.write_all(&Request::GetSupportedAttKeyIdNum.to_frame(None)).unwrap();
    let serve = start();
    stream.read_exact(&mut [0; 11]).unwrap();
    machine.quote("08");
    drop(serve);
}

#[test]
fn settings_of_a_socket_that_the_service_manager_has_made_are_said_to_be_unused() {
    let machine = Machine::new();
    let listener = UnixListener::bind(machine.socket()).unwrap();
    let line = format!("{SERVE} --take-over").replace("aesm.socket", "other.socket");
    let serve = Serve::start_with_output(&mut activated(&machine, &line, &[&listener]));
    serve.signal(Signal::TERM);
    let (_, log) = serve.wait();
    for (setting, is_set) in [("socket", true), ("take_over", true), ("socket_group", false)] {
        assert_eq!(log.contains(&format!("\"setting\":\"{setting}\"")), is_set, "{log}");
    }
}

#[test]
fn sockets_that_are_of_no_use_are_refused() {
    let machine = Machine::new();
    let (pipe, _writer) = std::io::pipe().unwrap();
    let (connection, _other) = UnixStream::pair().unwrap();
    let listener = UnixListener::bind(machine.socket()).unwrap();
    let same = listener.try_clone().unwrap();
    let cases: [(&[&dyn AsFd], &str); 3] = [
        (&[&pipe], "socket 0 of the service manager (LISTEN_FDS)"),
        (&[&connection], "socket 0 of the service manager (LISTEN_FDS) does not listen"),
        (&[&listener, &same], "more than one Unix socket"),
    ];
    for (sockets, reason) in cases {
        RunResult::of(&mut activated(&machine, SERVE, sockets)).with_code(1).says(&[reason]);
    }
}

/// The notifications to the service manager, up to this one.
pub(crate) fn told(manager: &UnixDatagram, until: &str) -> Vec<String> {
    manager.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut all = Vec::new();
    loop {
        let mut state = [0; 4096];
        let size = manager.recv(&mut state).unwrap();
        let state = String::from_utf8(state[..size].to_vec()).unwrap();
        all.push(state);
        if all.last().is_some_and(|state| state.lines().any(|line| line == until)) {
            return all;
        }
    }
}

#[test]
fn the_service_manager_is_told_how_it_is() {
    let machine = Machine::new();
    let path = machine.path("notify");
    let name = format!("quote-helper-test-{}", std::process::id());
    let named = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    let filed = UnixDatagram::bind(&path).unwrap();
    let address = path.to_str().unwrap().to_owned();
    for (manager, address) in [(filed, address), (named, format!("@{name}"))] {
        let line = format!("{SERVE} --isolate --workers 1");
        let serve = Serve::start(machine.command(&line).env("NOTIFY_SOCKET", address));
        let ready = told(&manager, "READY=1");
        assert_eq!(ready, ["READY=1\nSTATUS=serving quotes"]);

        serve.signal(Signal::HUP);
        let reloading = told(&manager, "READY=1");
        let [reloading, _ready] = &reloading[..] else { panic!("{reloading:?}") };
        let mut lines = reloading.lines();
        assert_eq!(lines.next(), Some("RELOADING=1"));
        let now = lines.next().unwrap().strip_prefix("MONOTONIC_USEC=").unwrap();
        assert!(now.parse::<u64>().unwrap() > 0);

        serve.signal(Signal::TERM);
        assert_eq!(told(&manager, "STOPPING=1"), ["STOPPING=1\nSTATUS=the service is stopping"]);
        assert_eq!(serve.wait().0.code(), Some(0));
    }
}

#[test]
fn the_watchdog_hears_of_the_thread_that_serves() {
    let machine = Machine::new();
    let manager = UnixDatagram::bind(machine.path("notify")).unwrap();
    let mut command = machine.command(SERVE);
    command.env("NOTIFY_SOCKET", machine.path("notify")).env("WATCHDOG_USEC", "200000");
    let serve = Serve::start(&mut command);
    told(&manager, "READY=1");
    for _ in 0..5 {
        assert_eq!(told(&manager, "WATCHDOG=1").len(), 1);
    }
    // That of somebody else is none of its business.
    serve.signal(Signal::TERM);
    told(&manager, "STOPPING=1");
    assert_eq!(serve.wait().0.code(), Some(0));
    let serve = Serve::start(command.env("WATCHDOG_PID", "1"));
    serve.signal(Signal::TERM);
    let all = told(&manager, "STOPPING=1");
    assert!(!all.iter().any(|state| state == "WATCHDOG=1"), "{all:?}");
}

/// The flag belongs to what the service manager has open as well.
#[test]
fn a_thread_that_is_stuck_is_not_alive_and_does_not_keep_the_process_from_ending() {
    let machine = Machine::new();
    let manager = UnixDatagram::bind(machine.path("notify")).unwrap();
    let listener = UnixListener::bind(machine.socket()).unwrap();
    let mut command = activated(&machine, SERVE, &[&listener]);
    command.env("NOTIFY_SOCKET", machine.path("notify")).env("WATCHDOG_USEC", "400000");
    let serve = Serve::start_with_output(&mut command);
    told(&manager, "WATCHDOG=1");
    listener.set_nonblocking(false).unwrap();
    // After it nobody comes, and the service waits for them.
    drop(UnixStream::connect(machine.socket()).unwrap());
    std::thread::sleep(Duration::from_millis(500));
    manager.set_nonblocking(true).unwrap();
    while manager.recv(&mut [0; 4096]).is_ok() {}
    std::thread::sleep(Duration::from_secs(1));
    assert!(manager.recv(&mut [0; 4096]).is_err(), "it is not said to be alive");
    serve.signal(Signal::TERM);
    let (status, log) = serve.wait();
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(log.contains("the thread that serves is stuck"), "{log}");
}

#[test]
fn nobody_to_tell_is_no_reason_not_to_serve() {
    let machine = Machine::new();
    let mut command = machine.command(SERVE);
    let serve = Serve::start(command.env("NOTIFY_SOCKET", "/nowhere/notify"));
    machine.quote("07");
    serve.signal(Signal::TERM);
    assert_eq!(serve.wait().0.code(), Some(0));
}

/// `systemd-analyze`, where it is installed, finds nothing.
#[test]
fn the_units_are_sound() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/systemd");
    let analyze = |arguments: &[&str]| {
        let output = Command::new("systemd-analyze").args(arguments).output().ok()?;
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        Some((output.status.success(), text))
    };
    if analyze(&["--version"]).is_none() {
        return skipped("systemd-analyze");
    }
    let machine = Machine::new();
    let program = env!("CARGO_BIN_EXE_quote-helper");
    let units = ["sgx-quote-helper.service", "sgx-quote-helper.socket", "sgx-pccs.service"];
    let paths = units.map(|name| {
        let unit = std::fs::read_to_string(directory.join(format!("{name}.in"))).unwrap();
        machine.write(name, unit.replace("@prefix@/bin/quote-helper", program));
        machine.path(name).to_str().unwrap().to_owned()
    });
    let [service, socket, pccs] = paths.each_ref().map(String::as_str);
    let (sound, text) = analyze(&["verify", "--man=no", service, socket, pccs]).unwrap();
    let ours: Vec<_> = text.lines().filter(|line| line.contains("sgx-")).collect();
    assert!(sound && ours.is_empty(), "{text}");
    for (service, threshold) in [(service, "20"), (pccs, "15")] {
        let threshold = format!("--threshold={threshold}");
        let (sound, text) = analyze(&["security", "--offline=true", &threshold, service]).unwrap();
        assert!(sound, "{text}");
    }
}
