//! A machine of its own for each test: a directory in which the program runs.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use landlock::{ABI, AccessFs, CompatLevel, Compatible, Ruleset, RulesetAttr};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// The command line of [`Machine::serve`].
pub(crate) const SERVE: &str = "serve --platform software --socket aesm.socket --state-dir state \
     --collateral-listen 127.0.0.1:0 --metrics-listen 127.0.0.1:0 --log-format json";

/// A kubeconfig with an address at which nobody listens.
pub(crate) const KUBECONFIG: &str = "\
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]
users: [{name: u, user: {}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
";

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A directory in which the program runs, with an empty environment; its paths are relative to it.
pub(crate) struct Machine(TempDir);

impl Machine {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path("aesm.socket")
    }

    /// The control socket of the instance with the state directory `state`.
    pub(crate) fn control(&self) -> PathBuf {
        let names = self.names("state/hand-over");
        let control = names.iter().find(|name| name.ends_with(".socket"));
        self.path(&format!("state/hand-over/{}", control.map_or("none", String::as_str)))
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        let path = self.path(name);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The enclave that is quoted in `q.bin`.
    pub(crate) fn quoted_enclave(&self) -> sgx::ReportBody {
        *sgx::Quote::parse_padded(&self.read("q.bin")).unwrap().body.enclave().unwrap()
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    /// The names of all that is in this directory, in order.
    pub(crate) fn names(&self, directory: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(directory)).unwrap();
        let name = |entry: std::fs::DirEntry| entry.file_name().into_string().unwrap();
        let mut names: Vec<_> = entries.map(|entry| name(entry.unwrap())).collect();
        names.sort();
        names
    }

    /// The program with the arguments of this line, which are separated by spaces.
    pub(crate) fn command(&self, line: &str) -> Command {
        self.command_of(Path::new(env!("CARGO_BIN_EXE_quote-helper")), line)
    }

    /// Another version of the program.
    pub(crate) fn command_of(&self, program: &Path, line: &str) -> Command {
        let mut command = Command::new(program);
        command.args(line.split_whitespace()).current_dir(self.0.path()).env_clear();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, line: &str) -> RunResult {
        RunResult::of(&mut self.command(line))
    }

    /// Runs a command that must succeed.
    #[track_caller]
    pub(crate) fn succeed(&self, line: &str) -> RunResult {
        self.run(line).with_code(0)
    }

    /// A running service on the software platform, with its state in `state`.
    pub(crate) fn serve(&self) -> Serve {
        Serve::start(&mut self.command(SERVE))
    }

    /// Gets a quote with this report data from the service into `q.bin`.
    #[track_caller]
    pub(crate) fn quote(&self, report_data: &str) {
        self.try_quote(report_data).with_code(0);
    }

    /// Asks for a quote as [`Machine::quote`] does, and may fail.
    pub(crate) fn try_quote(&self, report_data: &str) -> RunResult {
        self.run(&format!("quote --socket aesm.socket --report-data {report_data} --out q.bin"))
    }
}

/// The result of a run.
#[derive(Debug)]
pub(crate) struct RunResult {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl RunResult {
    /// Runs to the end, which must come soon: a service that should have refused to start fails the
    /// test rather than to hang it.
    pub(crate) fn of(command: &mut Command) -> Self {
        let child = command.spawn().unwrap();
        let pid = Pid::from_child(&child);
        let (ended, end) = mpsc::channel::<()>();
        let watch = std::thread::spawn(move || {
            if end.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                kill_process(pid, Signal::KILL).unwrap();
            }
        });
        let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
        drop(ended);
        watch.join().unwrap();
        let [stdout, stderr] = [stdout, stderr].map(|text| String::from_utf8(text).unwrap());
        Self { code: status.code(), stdout, stderr }
    }

    #[track_caller]
    pub(crate) fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Checks that each of these is in the notes for the user.
    #[track_caller]
    pub(crate) fn says(&self, texts: &[&str]) {
        for text in texts {
            assert!(self.stderr.contains(text), "\"{text}\" is missing: {}", self.stderr);
        }
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }
}

/// A process that is killed when dropped.
pub(crate) struct KilledOnDrop(pub(crate) Child);

impl KilledOnDrop {
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }
}

impl Drop for KilledOnDrop {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A flag that is set when this is dropped, so also if a test fails.
pub(crate) struct SetOnDrop<'a>(pub(crate) &'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A running server; killed when dropped.
pub(crate) struct Serve {
    pub(crate) child: KilledOnDrop,
    log: JoinHandle<String>,
    addresses: HashMap<String, String>,
}

impl Serve {
    /// Starts a service that logs in JSON, and waits until it serves.
    #[track_caller]
    pub(crate) fn start(command: &mut Command) -> Self {
        Self::start_with_output(command.stdout(Stdio::null()))
    }

    /// Does the same; standard output is whatever it is.
    #[track_caller]
    pub(crate) fn start_with_output(command: &mut Command) -> Self {
        Self::start_until(command, "quotes")
    }

    /// Starts a server that logs in JSON, and waits until it serves this.
    #[track_caller]
    pub(crate) fn start_until(command: &mut Command, last: &str) -> Self {
        let mut child = KilledOnDrop(command.spawn().expect("it can be run"));
        let mut log = BufReader::new(child.0.stderr.take().expect("it is piped"));
        let (mut line, mut whole, mut addresses) = (String::new(), String::new(), HashMap::new());
        loop {
            whole.push_str(&line);
            line.clear();
            assert!(log.read_line(&mut line).unwrap() > 0, "the server ended: {whole}");
            let event: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
            let message = event["fields"]["message"].as_str().unwrap_or_default();
            let Some(served) = message.strip_prefix("serving ") else { continue };
            if let Some(address) = event["fields"]["address"].as_str() {
                addresses.insert(served.to_owned(), address.to_owned());
            }
            if served == last {
                whole.push_str(&line);
                break;
            }
        }
        let log = std::thread::spawn(move || {
            log.read_to_string(&mut whole).unwrap();
            whole
        });
        Self { child, log, addresses }
    }

    /// The address at which it serves this.
    #[track_caller]
    pub(crate) fn address(&self, served: &str) -> &str {
        &self.addresses[served]
    }

    /// The URL of the collateral server.
    pub(crate) fn pccs(&self) -> String {
        format!("http://{}", self.address("collateral"))
    }

    /// The whole answer to `/metrics`, headers included.
    pub(crate) fn metrics(&self) -> String {
        self.get("/metrics")
    }

    /// The whole answer of the metrics server to this path, headers included.
    pub(crate) fn get(&self, path: &str) -> String {
        http_get(TcpStream::connect(self.metrics_address()).unwrap(), path)
    }

    /// The address of the metrics server.
    pub(crate) fn metrics_address(&self) -> &str {
        self.address("metrics")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    pub(crate) fn pid(&self) -> Pid {
        self.child.pid()
    }

    /// The processes that it has started.
    pub(crate) fn children(&self) -> Vec<Pid> {
        let pid = self.pid();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let children = children.unwrap_or_default();
        children
            .split_whitespace()
            .map(|pid| Pid::from_raw(pid.parse().unwrap()).unwrap())
            .collect()
    }

    /// Waits for the end; gives the log, too.
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        (self.child.0.wait().unwrap(), self.log.join().unwrap())
    }
}

/// The whole answer of an HTTP server to this path, headers included.
pub(crate) fn http_get(mut stream: impl Read + Write, path: &str) -> String {
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/openmetrics-text\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Waits until this is so, for a limited time.
#[track_caller]
pub(crate) fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < PATIENCE, "{what}: it does not come to that");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The inode of the file at this path.
pub(crate) fn inode(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    std::fs::symlink_metadata(path).unwrap().ino()
}

/// True if the kernel has Landlock. If not, a test of the sandbox is skipped with a note; in CI it
/// fails.
#[track_caller]
pub(crate) fn kernel_has_landlock() -> bool {
    let ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_write(ABI::V1))
        .and_then(Ruleset::create);
    present_or_skipped(ruleset.is_ok(), "a kernel with Landlock")
}

/// True for root. If not, a test that needs root is skipped with a note; in CI it fails.
#[track_caller]
pub(crate) fn is_root() -> bool {
    present_or_skipped(rustix::process::geteuid().is_root(), "root")
}

#[track_caller]
pub(crate) fn present_or_skipped(is_present: bool, what: &str) -> bool {
    assert!(is_present || std::env::var_os("CI").is_none(), "CI must test with {what}");
    if !is_present {
        skipped(what);
    }
    is_present
}

/// Says that a test, or a part of it, is skipped, for want of this: past the capture of the test
/// harness, which hides what a test that passes has said.
#[track_caller]
pub(crate) fn skipped(for_want_of: &str) {
    let place = std::panic::Location::caller();
    let skipped = format!("SKIPPED at {place}: this needs {for_want_of}\n");
    std::io::stderr().write_all(skipped.as_bytes()).unwrap();
}
