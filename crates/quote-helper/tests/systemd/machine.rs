//! A machine of its own: namespaces in which systemd is the first process.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// The time for which applications ask, see [`Machine::under_load`].
const LOAD: Duration = Duration::from_secs(15);

/// The units of the quote service, as they are stopped and enabled together.
pub(crate) const QUOTE_SERVICE: &str = "sgx-quote-helper.socket sgx-quote-helper.service";

/// A machine that runs; all of its processes are killed when it is dropped.
pub(crate) struct Machine {
    unshare: Child,
    /// Its systemd, as this machine's kernel numbers it.
    init: u32,
    _memory: TempDir,
}

impl Machine {
    /// A machine on which the program is installed, and nothing of it has been started.
    pub(crate) fn boot() -> Self {
        assert!(rustix::process::geteuid().is_root(), "a machine of its own takes root");
        let installed =
            std::env::var_os("INSTALLED").expect("INSTALLED, which `just systemd-test` sets");
        let memory = tempfile::tempdir().unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/systemd/boot.sh");
        let mut unshare = Command::new("unshare");
        unshare.args(["--pid", "--mount", "--uts", "--ipc", "--cgroup", "--net"]);
        unshare.args(["--fork", "--kill-child", "--propagation", "private"]);
        unshare.arg(script).arg(installed).arg(memory.path());
        let mut unshare = unshare.stdin(Stdio::null()).spawn().unwrap();
        let init = eventually("the first process of the machine", || {
            assert_eq!(unshare.try_wait().unwrap(), None, "the machine does not start");
            let children = format!("/proc/{0}/task/{0}/children", unshare.id());
            fs::read_to_string(children).unwrap().trim().parse().ok()
        });
        let machine = Self { unshare, init, _memory: memory };
        eventually("systemd", || {
            let started = machine.run("systemctl is-active basic.target").status.success();
            started.then_some(())
        });
        machine
    }

    /// A command in this machine, of root.
    fn command(&self, line: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.init.to_string()]);
        command.args(["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"]);
        command.args(["sh", "-c", line]).stdin(Stdio::null());
        command.env("PATH", "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin").env_remove("MANPATH");
        command
    }

    /// Runs a line of the shell.
    pub(crate) fn run(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    /// Runs a line of the shell, which must succeed; gives its output, errors included.
    #[track_caller]
    pub(crate) fn succeed(&self, line: &str) -> String {
        let output = self.run(&format!("({line}) 2>&1"));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{line}: {text}\n{}", self.journal());
        text
    }

    /// All that the units have logged.
    pub(crate) fn journal(&self) -> String {
        let output = self.run("journalctl --no-pager --quiet --unit 'sgx-*'");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// A file of this machine, from outside.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{path}", self.init))
    }

    /// Writes a file, and makes the directory that it is in.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Writes the configuration, and starts the quote service.
    #[track_caller]
    pub(crate) fn start_quote_service(&self, configuration: &str) {
        self.write("/etc/quote-helper/config.toml", configuration);
        self.succeed(&format!("systemctl enable --now {QUOTE_SERVICE}"));
    }

    /// Gets a quote where every AESM client asks.
    #[track_caller]
    pub(crate) fn quote(&self) {
        self.succeed(
            "quote-helper quote --socket /var/run/aesmd/aesm.socket --report-data 07 --out /tmp/quote",
        );
    }

    /// A connection of an AESM client.
    pub(crate) fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(self.path("/run/aesmd/aesm.socket")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// A property of a unit, as systemd has it.
    #[track_caller]
    pub(crate) fn property(&self, unit: &str, property: &str) -> String {
        let value = self.succeed(&format!("systemctl show --value --property {property} {unit}"));
        value.trim().to_owned()
    }

    /// Does this while applications ask for quotes all the time, and gives the figures of
    /// `quote-helper load`.
    #[track_caller]
    pub(crate) fn under_load(&self, meanwhile: impl FnOnce()) -> Value {
        let line = format!("quote-helper load --duration {}s --output json", LOAD.as_secs());
        let load = self.command(&line).stdout(Stdio::piped()).spawn().unwrap();
        let start = Instant::now();
        sleep(Duration::from_secs(1));
        meanwhile();
        let taken = start.elapsed();
        assert!(taken < LOAD, "it took {taken:?}, longer than the load");
        let output = load.wait_with_output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Its systemd is killed with it, and with systemd every process of the machine.
        let _ = self.unshare.kill();
        let _ = self.unshare.wait();
    }
}

/// Waits until there is this.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        sleep(Duration::from_millis(50));
    }
}
