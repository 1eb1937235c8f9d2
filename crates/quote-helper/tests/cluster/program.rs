//! A program on the node.

use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::NamedTempFile;

use crate::cluster::eventually;

/// `quote-helper`, with a log in JSON; killed when dropped.
pub(crate) struct Program {
    child: Child,
    log: NamedTempFile,
}

impl Program {
    /// Starts the command, which has its arguments.
    pub(crate) fn start(command: &mut Command) -> Self {
        let log = NamedTempFile::new().unwrap();
        command.args(["--log-format", "json"]).stderr(log.reopen().unwrap());
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        Self { child, log }
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

    /// Stops it by SIGTERM, which must succeed.
    #[track_caller]
    pub(crate) fn stop(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        let status = eventually("the end", || self.child.try_wait().unwrap());
        let log = std::fs::read_to_string(&self.log).unwrap();
        assert!(status.success(), "{status}: {log}");
    }
}

impl Drop for Program {
    #[allow(clippy::print_stderr, reason = "the log tells why a test has failed")]
    fn drop(&mut self) {
        // It may have exited.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", std::fs::read_to_string(&self.log).unwrap_or_default());
        }
    }
}
