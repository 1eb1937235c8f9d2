//! SIGHUP of `serve`: the configuration is read again, and no request is lost.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use aesm::Request;
use rustix::process::Signal;

use crate::support::{Machine, Serve, eventually};

const LINE: &str = "serve --config config.toml --platform software --socket aesm.socket \
     --state-dir state --metrics-listen 127.0.0.1:0 --log-format json";

fn serve(machine: &Machine, config: &str) -> Serve {
    machine.write("config.toml", config);
    Serve::start(&mut machine.command(LINE))
}

fn reload(machine: &Machine, serve: &Serve, config: &str) {
    machine.write("config.toml", config);
    serve.signal(Signal::HUP);
}

fn gets_a_quote(machine: &Machine) -> bool {
    machine.try_quote("07").code == Some(0)
}

fn shows(serve: &Serve, sample: &str) -> bool {
    serve.metrics().lines().any(|line| line == sample)
}

/// The log, after the end.
fn log(serve: Serve) -> String {
    serve.signal(Signal::TERM);
    let (status, log) = serve.wait();
    assert!(status.success(), "{log}");
    log
}

#[test]
fn policy_and_limits_hold_from_a_reload_on() {
    let machine = Machine::new();
    let serve = serve(&machine, "max_connections = 100\n");
    assert!(gets_a_quote(&machine));
    assert!(shows(&serve, "quote_helper_max_connections 100"));
    reload(&machine, &serve, "allowed_uids = []\nmax_connections = 50\nworkers = 3\n");
    eventually("the limit is shown", || shows(&serve, "quote_helper_max_connections 50"));
    assert!(!gets_a_quote(&machine));
    // A configuration that is wrong changes nothing.
    reload(&machine, &serve, "max_connections = 'many'\n");
    thread::sleep(Duration::from_millis(300));
    assert!(!gets_a_quote(&machine));
    assert!(shows(&serve, "quote_helper_max_connections 50"));
    reload(&machine, &serve, "");
    eventually("quotes are made again", || gets_a_quote(&machine));
    let log = log(serve);
    let line = |text: &str| log.lines().find(|line| line.contains(text)).expect(text);
    let reloaded = line(r#""message":"reloaded""#);
    assert!(reloaded.contains(r#""changed":"max_connections, allowed_uids""#), "{reloaded}");
    assert!(line("need a restart").contains(r#""settings":"workers""#), "{log}");
    let wrong = line("the old settings remain");
    let problem = "line 1: max_connections = 'many': write a whole number from 1";
    assert!(wrong.contains(problem), "{wrong}");
}

#[test]
fn times_hold_for_connections_that_are_open_already() {
    let machine = Machine::new();
    let serve = serve(&machine, "idle_timeout = '600s'\n");
    reload(&machine, &serve, "idle_timeout = '100ms'\nmax_connections = 7\n");
    eventually("it is reloaded", || shows(&serve, "quote_helper_max_connections 7"));
    let mut stream = UnixStream::connect(machine.socket()).unwrap();
    stream.write_all(&Request::GetSupportedAttKeyIdNum.to_frame(None)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // The reply, and the end of an idle connection.
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    assert!(!all.is_empty());
}

#[test]
fn no_request_is_lost_while_the_configuration_changes() {
    let machine = Machine::new();
    let serve = serve(&machine, "");
    let (answered, done) = (AtomicU32::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let asking = || {
            let mut stream = UnixStream::connect(machine.socket()).unwrap();
            while !done.load(Ordering::Relaxed) {
                stream.write_all(&Request::GetSupportedAttKeyIdNum.to_frame(None)).unwrap();
                stream.read_exact(&mut [0; 11]).unwrap();
                answered.fetch_add(1, Ordering::Relaxed);
            }
        };
        let askers = [(); 3].map(|()| scope.spawn(asking));
        for number in 1..=20 {
            let limit = 100 + number;
            reload(&machine, &serve, &format!("max_connections = {limit}\n"));
            eventually("it is reloaded", || {
                shows(&serve, &format!("quote_helper_max_connections {limit}"))
            });
            let before = answered.load(Ordering::Relaxed);
            eventually("requests go on", || answered.load(Ordering::Relaxed) > before + 10);
        }
        done.store(true, Ordering::Relaxed);
        for asker in askers {
            asker.join().unwrap();
        }
    });
    log(serve);
}

/// `nohup` starts a program with SIGHUP ignored; the service listens for it all the same.
#[test]
fn under_nohup_a_hangup_reloads() {
    let machine = Machine::new();
    machine.write("config.toml", "");
    let program = machine.command(LINE);
    let mut command = Command::new("nohup");
    command.arg(program.get_program()).args(program.get_args());
    command.current_dir(machine.path("")).stdin(Stdio::null()).stderr(Stdio::piped());
    let serve = Serve::start(&mut command);
    reload(&machine, &serve, "max_connections = 9\n");
    eventually("it is reloaded", || shows(&serve, "quote_helper_max_connections 9"));
    log(serve);
}
