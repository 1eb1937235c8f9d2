//! `quote-helper` on the node.

use std::ffi::OsString;
use std::process::{Child, Stdio};
use std::time::SystemTime;

use serde_json::Value;
use tempfile::{NamedTempFile, TempDir};

use crate::cluster::eventually;
use crate::node::{on_node, shell};

/// The program, with a log in JSON; killed when dropped.
pub(crate) struct Program {
    child: Child,
    log: NamedTempFile,
    /// With the file that holds its process id on the node.
    directory: TempDir,
}

impl Program {
    /// Starts it on the node with these arguments, as an administrator of the cluster.
    pub(crate) fn start(arguments: &[OsString]) -> Self {
        let (log, directory) = (NamedTempFile::new().unwrap(), tempfile::tempdir().unwrap());
        let kubeconfig = std::env::var("KUBECONFIG").expect("the test cluster's kubeconfig");
        let credentials = directory.path().join("kubeconfig");
        std::fs::copy(kubeconfig, &credentials).unwrap();

        let mut command = on_node();
        command.args(["sh", "-c", "echo $$ >\"$0/pid\"; KUBECONFIG=$0/kubeconfig exec \"$@\""]);
        command.arg(directory.path()).arg(env!("CARGO_BIN_EXE_quote-helper")).args(arguments);
        command.args(["--log-format", "json"]).stderr(log.reopen().unwrap());
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        Self { child, log, directory }
    }

    /// Waits for this message in the log, and returns its fields.
    #[track_caller]
    pub(crate) fn event(&mut self, message: &str) -> Value {
        eventually(message, || {
            let log = std::fs::read_to_string(&self.log).unwrap();
            assert!(self.child.try_wait().unwrap().is_none(), "it has ended: {log}");
            let mut events = log.lines().filter_map(|line| serde_json::from_str(line).ok());
            let event = events.find(|event: &Value| event["fields"]["message"] == message)?;
            Some(event["fields"].clone())
        })
    }

    /// The times of this message in the log.
    pub(crate) fn times(&self, message: &str) -> Vec<SystemTime> {
        let log = std::fs::read_to_string(&self.log).unwrap();
        let events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let events = events.filter(|event| event["fields"]["message"] == message);
        let time = |event: Value| humantime::parse_rfc3339(event["timestamp"].as_str().unwrap());
        events.map(|event| time(event).unwrap()).collect()
    }

    /// Stops it by SIGTERM, which must succeed.
    #[track_caller]
    pub(crate) fn stop(mut self) {
        self.signal("TERM");
        let status = eventually("the end", || self.child.try_wait().unwrap());
        let log = std::fs::read_to_string(&self.log).unwrap();
        assert!(status.success(), "{status}: {log}");
    }

    /// Sends the signal; it may have exited.
    fn signal(&self, name: &str) {
        shell(&format!("kill -{name} $(cat {}/pid) || true", self.directory.path().display()));
    }
}

impl Drop for Program {
    #[allow(clippy::print_stderr, reason = "the log tells why a test has failed")]
    fn drop(&mut self) {
        self.signal("KILL");
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", std::fs::read_to_string(&self.log).unwrap_or_default());
        }
    }
}
