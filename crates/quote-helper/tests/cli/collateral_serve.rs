//! `collateral serve`: the process. The tests of its library check the responses.

mod reload;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Signal, kill_process};
use serde_json::Value;

use crate::support::{Machine, RunResult, Serve, eventually};

const V4: &str = "/sgx/certification/v4";
pub(crate) const SERVE: &str = "collateral serve --listen 127.0.0.1:0 --metrics-listen 127.0.0.1:0 \
     --state-dir server --log-format json --user-token-file user --admin-token-file admin";

/// SHA-512 of `a user` and of `an administrator`.
const USER_HASH: &str = "663a239c6566a928009e40f82ed1ffe3883412758af477f1d17e373a283227c3\
    582220424635bb0a1763b2d13883dd15175485575532b89deb8ca5f6bcb255cf";
const ADMIN_HASH: &str = "5a3b2e7c69b573515e105a5d7790e2fdb8e2c3a998b1d562e9a75a67ef44c7c0\
    b9ab661432e5da29b2daeaf8230c174c43d1e3ad58210c3bdb3b5a525f4bc00a";
const USER: &str = "user-token: a user";
const ADMIN: &str = "admin-token: an administrator";

/// A running server.
pub(crate) struct Server(Serve);

impl Server {
    #[track_caller]
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(Serve::start_until(command.stdout(Stdio::null()), "collateral"))
    }

    /// The URL of the PCCS for verifiers.
    pub(crate) fn url(&self) -> String {
        self.0.pccs()
    }

    fn collateral(&self) -> &str {
        self.0.address("collateral")
    }

    fn signal(&self, signal: Signal) {
        self.0.signal(signal);
    }

    fn wait(self) -> (ExitStatus, String) {
        self.0.wait()
    }

    fn get(&self, path: &str) -> (u16, String) {
        ask(self.collateral(), "GET", path, "", "").unwrap()
    }

    /// Registers a platform with this number; gives the status, or `None` when the server is gone.
    fn register(&self, number: u32, manifest: &str) -> Option<u16> {
        let body = format!(
            r#"{{"qe_id":"{number:032x}","pce_id":"0000","platform_manifest":"{manifest}"}}"#
        );
        Some(ask(self.collateral(), "POST", &format!("{V4}/platforms"), USER, &body)?.0)
    }

    /// The numbers of the platforms that have registered.
    fn registered(&self) -> Vec<u32> {
        let (status, body) =
            ask(self.collateral(), "GET", &format!("{V4}/platforms"), ADMIN, "").unwrap();
        assert_eq!(status, 200, "{body}");
        let rows: Vec<Value> = serde_json::from_str(&body).unwrap();
        let number = |row: &Value| u32::from_str_radix(row["qe_id"].as_str().unwrap(), 16).unwrap();
        rows.iter().map(number).collect()
    }
}

/// Status and body; `None` when there is nobody, or the answer is cut.
fn ask(address: &str, method: &str, path: &str, header: &str, body: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    let length = body.len();
    let header = if header.is_empty() { "Accept: */*" } else { header };
    // An answer of unknown length is not in chunks then.
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: x\r\nConnection: close\r\n{header}\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

fn machine() -> Machine {
    let machine = Machine::new();
    machine.write("user", USER_HASH);
    machine.write("admin", ADMIN_HASH);
    machine
}

#[test]
fn served_and_cached_collateral_verifies_a_quote() {
    let machine = machine();
    let quotes = machine.serve();
    machine.quote("00");
    machine.succeed("platform root --state-dir state --out root.pem");
    let line = format!("{SERVE} --source {} --trusted-root root.pem", quotes.pccs());
    let server = Server::start(&mut machine.command(&line));
    let verify =
        format!("verify q.bin --trusted-root root.pem --source http://{}", server.collateral());
    machine.succeed(&verify);
    assert_eq!(ask(server.0.metrics_address(), "GET", "/readyz", "", "").unwrap().0, 200);
    let metrics = ask(server.0.metrics_address(), "GET", "/metrics", "", "").unwrap().1;
    assert!(metrics.contains("upstream_requests_total{source=\"the PCCS at"), "{metrics}");
    drop(server);
    drop(quotes);
    // Its cache is enough without the source, and after a restart.
    let server = Server::start(&mut machine.command(&line));
    machine.succeed(&verify.replace(verify.split("//").last().unwrap(), server.collateral()));
}

#[test]
fn signals_stop_the_server() {
    let machine = machine();
    for signal in [Signal::TERM, Signal::INT] {
        let server = Server::start(&mut machine.command(&format!("{SERVE} --mode offline")));
        assert_eq!(server.get(&format!("{V4}/rootcacrl")).0, 404);
        server.signal(signal);
        let (status, log) = server.wait();
        assert!(status.success() && log.contains("stopped"), "{log}");
    }
}

#[test]
fn unusable_settings_are_named() {
    let machine = machine();
    machine.write("short", "0123");
    for (flags, code, words) in [
        ("--user-token-file short", 1, ["short", "sha512sum"]),
        ("--admin-token-file none", 1, ["none", "No such file"]),
        ("--tls-certificate short --tls-key short", 1, ["short", "certificate"]),
        ("--tls-certificate short", 2, ["--tls-key", "required"]),
        ("--metrics-listen here", 2, ["here", "ADDRESS:PORT, for instance"]),
        ("--source nowhere", 2, ["nowhere", "URL"]),
        ("--trusted-root none", 1, ["none", "trusted root"]),
        ("--state-dir short/x", 1, ["short/x", "make the directory"]),
    ] {
        let line = "collateral serve --listen 127.0.0.1:0 --state-dir server --mode offline";
        let line = if flags.contains("--state-dir") {
            line.replace(" --state-dir server", "")
        } else {
            line.to_owned()
        };
        machine.run(&format!("{line} {flags}")).with_code(code).says(&words);
    }
}

#[test]
fn one_server_at_a_time_has_the_state_directory() {
    let machine = machine();
    let line = format!("{SERVE} --mode offline");
    let server = Server::start(&mut machine.command(&line));
    machine.run(&line).with_code(1).says(&["server/platforms.redb", "another process"]);
    assert_eq!(server.register(1, "00"), Some(200));
}

#[test]
fn a_damaged_database_is_reported_and_kept() {
    let machine = machine();
    let line = format!("{SERVE} --mode offline");
    let server = Server::start(&mut machine.command(&line));
    assert_eq!(server.register(1, "00"), Some(200));
    server.signal(Signal::TERM);
    assert!(server.wait().0.success());
    let mut bytes = machine.read("server/platforms.redb");
    bytes.truncate(bytes.len() / 2);
    machine.write("server/platforms.redb", &bytes);
    for _ in 0..2 {
        machine.run(&line).with_code(1).says(&["server/platforms.redb", "damaged", "backup"]);
    }
    assert_eq!(machine.read("server/platforms.redb").len(), bytes.len());
}

#[test]
fn acknowledged_registrations_survive_kill_9() {
    let machine = machine();
    let line = format!("{SERVE} --mode offline");
    let (mut acknowledged, mut begun) = (Vec::new(), 0);
    for _ in 0..3 {
        let server = Server::start(&mut machine.command(&line));
        let next = AtomicU32::new(begun);
        let pid = server.0.pid();
        std::thread::scope(|scope| {
            let writers = [(); 4].map(|()| {
                scope.spawn(|| {
                    let mut done = Vec::new();
                    loop {
                        let number = next.fetch_add(1, Ordering::SeqCst);
                        match server.register(number, &"ab".repeat(20_000)) {
                            Some(200) => done.push(number),
                            _ => return done,
                        }
                    }
                })
            });
            eventually("it registers", || next.load(Ordering::SeqCst) >= begun + 60);
            kill_process(pid, Signal::KILL).unwrap();
            for writer in writers {
                acknowledged.extend(writer.join().unwrap());
            }
        });
        begun = next.into_inner();
        drop(server);
    }
    let server = Server::start(&mut machine.command(&line));
    let registered = server.registered();
    assert!(acknowledged.len() >= 3 * 50, "{}", acknowledged.len());
    assert!(acknowledged.iter().all(|number| registered.contains(number)));
    assert!(registered.iter().all(|number| *number < begun));
}

/// The limit on the size of files stands for a full disk.
#[test]
fn a_full_disk_fails_writes_only() {
    let machine = machine();
    let program = env!("CARGO_BIN_EXE_quote-helper");
    let shell = format!("trap '' XFSZ; ulimit -f 4096; exec {program} {SERVE} --mode offline");
    let mut limited = Command::new("sh");
    limited.args(["-c", &shell]).current_dir(machine.path(""));
    limited.env_clear().stdin(Stdio::null()).stderr(Stdio::piped());
    let server = Server::start(&mut limited);
    let large = "ab".repeat(60_000);
    let mut acknowledged = Vec::new();
    let mut number = 0;
    let refused = loop {
        number += 1;
        match server.register(number, &large) {
            Some(200) => acknowledged.push(number),
            other => break other,
        }
        assert!(number < 1000, "nothing is full");
    };
    assert_eq!(refused, Some(500));
    // The next write fails too, and reads still work.
    assert_eq!(server.register(1000, &large), Some(500));
    assert_eq!(server.get(&format!("{V4}/rootcacrl")).0, 404);
    let unknown = "pckcert?qeid=00000000000000000000000000000000&pceid=0000&pcesvn=0000\
         &cpusvn=00000000000000000000000000000000";
    assert_eq!(server.get(&format!("{V4}/{unknown}")).0, 461);
    server.signal(Signal::TERM);
    let (status, log) = server.wait();
    assert!(status.success() && log.contains("check the space on the disk"), "{log}");
    // With space again, all that was acknowledged is there.
    let server = Server::start(&mut machine.command(&format!("{SERVE} --mode offline")));
    let registered = server.registered();
    assert!(
        acknowledged.iter().all(|number| registered.contains(number)),
        "{acknowledged:?} {registered:?}"
    );
    assert_eq!(server.register(1000, &large), Some(200));
}

#[test]
fn tokens_are_in_no_log() {
    let machine = machine();
    let mut command = machine.command(&format!("{SERVE} --mode offline"));
    command.env("QUOTE_HELPER_LOG", "trace");
    let server = Server::start(&mut command);
    assert_eq!(server.register(1, "00"), Some(200));
    let path = format!("{V4}/platforms");
    let wrong = ask(server.collateral(), "GET", &path, "admin-token: a guess", "").unwrap();
    assert_eq!(wrong.0, 401);
    server.signal(Signal::TERM);
    let (_, log) = server.wait();
    assert!(log.contains("rejected a request without the token"), "{log}");
    for secret in ["a user", "an administrator", "a guess", USER_HASH, ADMIN_HASH] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}

#[test]
fn rejected_tokens_do_not_flood_the_log() {
    let machine = machine();
    let server = Server::start(&mut machine.command(&format!("{SERVE} --mode offline")));
    let path = format!("{V4}/platforms");
    for _ in 0..300 {
        let wrong = ask(server.collateral(), "GET", &path, "admin-token: a guess", "").unwrap();
        assert_eq!(wrong.0, 401);
    }
    server.signal(Signal::TERM);
    let (_, log) = server.wait();
    let lines: Vec<_> =
        log.lines().filter(|line| line.contains("rejected a request without the token")).collect();
    assert!((1..10).contains(&lines.len()), "{}", lines.len());
    assert!(lines[0].contains("127.0.0.1") && lines[0].contains("left_out"), "{}", lines[0]);
}

#[test]
fn an_address_in_use_is_reported() {
    let machine = machine();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let line = SERVE.replacen("127.0.0.1:0", &address, 1);
    RunResult::of(&mut machine.command(&format!("{line} --mode offline")))
        .with_code(1)
        .says(&["cannot serve collateral", &address]);
    assert!(fs::exists(machine.path("server/platforms.redb")).unwrap());
}

#[test]
fn the_root_and_unknown_paths_list_the_routes() {
    let machine = machine();
    let server = Server::start(&mut machine.command(&format!("{SERVE} --mode offline")));
    let paths = ["rootcacrl", "pckcert?", "tcb?", "platforms", "refresh"];
    for (path, status) in [("/", 200), ("/rootcacrl", 404)] {
        let (answered, page) = server.get(path);
        assert_eq!(answered, status, "{page}");
        for known in paths {
            assert!(page.contains(&format!("{V4}/{known}")), "{path}: {known}: {page}");
        }
    }
    for path in ["/", "/metric"] {
        let page = ask(server.0.metrics_address(), "GET", path, "", "").unwrap().1;
        assert!(page.contains("/metrics ") && page.contains("/readyz"), "{page}");
    }
}
