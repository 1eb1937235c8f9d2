//! SIGHUP: tokens and the TLS certificate are read again, and no request is lost.

use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use rcgen::generate_simple_self_signed;
use rustix::process::Signal;

use super::{ADMIN, SERVE, Server, USER, USER_HASH, V4, ask, machine};
use crate::support::{Machine, eventually};

/// SHA-512 of `a new user`.
const NEW_HASH: &str = "3b9273d94b0a0eeeb2d414ce1437597bb71ac67b2d0d0e06b76269ec3bd1e495\
    8da3ea3cb30b76fd9c0641f6b3d90c47e975d203fd0296e12da38f34dc32287f";
const NEW_USER: &str = "user-token: a new user";

/// The status of a registration with this token.
fn registered(server: &Server, token: &str) -> u16 {
    let body =
        r#"{"qe_id":"00000000000000000000000000000001","pce_id":"0000","platform_manifest":"00"}"#;
    ask(server.collateral(), "POST", &format!("{V4}/platforms"), token, body).unwrap().0
}

/// A new certificate and its key, in `tls.pem` and `tls.key`; gives the certificate.
fn certify(machine: &Machine, name: &str) -> String {
    let certified = generate_simple_self_signed([name.to_owned()]).unwrap();
    machine.write("tls.pem", certified.cert.pem());
    machine.write("tls.key", certified.signing_key.serialize_pem());
    certified.cert.pem()
}

/// The certificate that a client is shown, in PEM.
fn shown(server: &Server) -> String {
    let mut client = Command::new("openssl");
    client.args(["s_client", "-connect", server.collateral()]).stdin(Stdio::null());
    let shown = String::from_utf8(client.output().unwrap().stdout).unwrap();
    let begin = shown.find("-----BEGIN CERTIFICATE").unwrap_or_else(|| panic!("{shown}"));
    let end = shown.find("-----END CERTIFICATE").unwrap();
    format!("{}-----END CERTIFICATE-----\n", &shown[begin..end])
}

fn same(one: &str, other: &str) -> bool {
    one.split_whitespace().eq(other.split_whitespace())
}

#[test]
fn a_hangup_replaces_the_token() {
    let machine = machine();
    let server = Server::start(&mut machine.command(&format!("{SERVE} --mode offline")));
    assert_eq!((registered(&server, USER), registered(&server, NEW_USER)), (200, 401));
    machine.write("user", NEW_HASH);
    server.signal(Signal::HUP);
    eventually("the new token works", || registered(&server, NEW_USER) == 200);
    assert_eq!(registered(&server, USER), 401);
    // An invalid file changes neither token.
    machine.write("admin", USER_HASH);
    machine.write("user", "password");
    server.signal(Signal::HUP);
    let platforms = format!("{V4}/platforms");
    for _ in 0..20 {
        assert_eq!(registered(&server, NEW_USER), 200);
        assert_eq!(ask(server.collateral(), "GET", &platforms, ADMIN, "").unwrap().0, 200);
        thread::sleep(std::time::Duration::from_millis(10));
    }
    server.signal(Signal::TERM);
    let (status, log) = server.wait();
    assert!(status.success());
    let wrong = log.lines().find(|line| line.contains("the old settings remain")).unwrap();
    assert!(wrong.contains("sha512sum") && wrong.contains("user does not hold"), "{wrong}");
    assert!(log.contains(r#""changed":"tokens""#), "{log}");
}

#[test]
fn an_invalid_certificate_keeps_the_old_one() {
    let machine = machine();
    let old = certify(&machine, "old.test");
    let line = format!("{SERVE} --mode offline --tls-certificate tls.pem --tls-key tls.key");
    let server = Server::start(&mut machine.command(&line));
    assert!(same(&shown(&server), &old));
    let key = machine.read("tls.key");
    let new = certify(&machine, "new.test");
    // The key of the old certificate does not go with the new one.
    machine.write("tls.key", key);
    server.signal(Signal::HUP);
    thread::sleep(std::time::Duration::from_millis(300));
    assert!(same(&shown(&server), &old) && !same(&shown(&server), &new));
    let new = certify(&machine, "newer.test");
    server.signal(Signal::HUP);
    eventually("the new certificate is shown", || same(&shown(&server), &new));
    server.signal(Signal::TERM);
    let (status, log) = server.wait();
    assert!(status.success());
    assert!(log.contains("the key in tls.key belongs to another certificate"), "{log}");
    assert!(log.contains(r#""changed":"TLS certificate""#), "{log}");
}

#[test]
fn no_request_is_lost_while_the_files_are_read() {
    let machine = machine();
    let server = Server::start(&mut machine.command(&format!("{SERVE} --mode offline")));
    let (answered, done) = (AtomicU32::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let asking = || {
            while !done.load(Ordering::Relaxed) {
                assert_eq!(server.get(&format!("{V4}/rootcacrl")).0, 404);
                answered.fetch_add(1, Ordering::Relaxed);
            }
        };
        let askers = [(); 3].map(|()| scope.spawn(asking));
        for number in 1..=20 {
            server.signal(Signal::HUP);
            eventually("requests go on", || answered.load(Ordering::Relaxed) > 10 * number);
        }
        done.store(true, Ordering::Relaxed);
        for asker in askers {
            asker.join().unwrap();
        }
    });
    server.signal(Signal::TERM);
    assert!(server.wait().0.success());
}

#[test]
fn changed_sources_need_a_restart() {
    let machine = machine();
    machine.write("config.toml", "[collateral]\nsources = ['https://one.test']\n");
    let line = format!("{SERVE} --config config.toml");
    let server = Server::start(&mut machine.command(&line));
    machine.write("config.toml", "[collateral]\nsources = ['https://two.test']\ntimeout = '7s'\n");
    server.signal(Signal::HUP);
    thread::sleep(std::time::Duration::from_millis(300));
    server.signal(Signal::TERM);
    let (_, log) = server.wait();
    let pending = log.lines().find(|line| line.contains("need a restart")).unwrap();
    assert!(pending.contains(r#""settings":"sources, timeout""#), "{pending}");
}

#[test]
fn a_service_manager_is_notified_of_start_reload_and_stop() {
    let machine = machine();
    let manager = UnixDatagram::bind(machine.path("notify")).unwrap();
    let mut command = machine.command(&format!("{SERVE} --mode offline"));
    command.env("NOTIFY_SOCKET", machine.path("notify")).env("WATCHDOG_USEC", "200000");
    let server = Server::start(&mut command);
    let told = |until| crate::systemd::told(&manager, until);
    assert_eq!(told("READY=1").last().unwrap(), "READY=1\nSTATUS=serving collateral");
    told("WATCHDOG=1");
    server.signal(Signal::HUP);
    let reloading = told("RELOADING=1");
    assert!(reloading.last().unwrap().contains("\nMONOTONIC_USEC="), "{reloading:?}");
    told("READY=1");
    server.signal(Signal::TERM);
    told("STOPPING=1");
    assert!(server.wait().0.success());
}

/// `nohup` starts a program with SIGHUP ignored; the server listens for it all the same.
#[test]
fn under_nohup_a_hangup_reloads() {
    let machine = machine();
    let program = machine.command(&format!("{SERVE} --mode offline"));
    let mut command = Command::new("nohup");
    command.arg(program.get_program()).args(program.get_args());
    command.current_dir(machine.path("")).stdin(Stdio::null()).stderr(Stdio::piped());
    let server = Server::start(&mut command);
    machine.write("user", NEW_HASH);
    server.signal(Signal::HUP);
    eventually("the new token works", || registered(&server, NEW_USER) == 200);
    server.signal(Signal::TERM);
    assert!(server.wait().0.success());
}
