//! A machine whose service gets into trouble, while applications ask it all the time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use quoting::{AesmQuoter, Quoter};
use rustix::process::Signal;
use sgx::AttestationKeyId;

use crate::application::{Application, Library};
use crate::fault::Outcome;
use crate::load::{Load, Progress, load_during};
use crate::support::{Machine, RunResult, SERVE, Serve, eventually};

/// A service whose socket is in a directory of its own, which can be linked, filled or removed.
pub(crate) const IN_RUN: &str =
    "serve --platform software --socket run/aesm.socket --state-dir state --log-format json";

/// A service that has been there before: with state, and an attestation key that is known.
pub(crate) struct Site {
    // Dropped in this order: the process before its directory.
    serve: Option<Serve>,
    pub(crate) machine: Machine,
    command: Box<dyn Fn(&Machine) -> Command>,
    identity: Identity,
    log: String,
}

/// The state that must survive.
#[derive(Debug, PartialEq)]
pub(crate) struct Identity {
    public_key_id: [u8; 32],
    state: BTreeMap<PathBuf, Vec<u8>>,
}

impl Site {
    /// The software platform, with these arguments besides.
    pub(crate) fn new(more: &str) -> Self {
        let arguments = format!("{SERVE} {more}");
        Self::with(Machine::new(), move |machine| machine.command(&arguments))
    }

    /// A service that is started like this.
    pub(crate) fn with(machine: Machine, command: impl Fn(&Machine) -> Command + 'static) -> Self {
        let serve = Serve::start(&mut command(&machine));
        let identity = Identity::of(&machine);
        let (serve, command) = (Some(serve), Box::new(command));
        Self { serve, machine, command, identity, log: String::new() }
    }

    pub(crate) fn serve(&self) -> &Serve {
        self.serve.as_ref().expect("it runs")
    }

    /// Has applications ask while this happens; they have had quotes before.
    pub(crate) fn during(&mut self, happen: impl FnOnce(&mut Self, &Progress)) -> Load {
        let socket = self.machine.socket();
        let (load, ()) = load_during(Library::Fortanix, &socket, |progress| {
            progress.of_quotes();
            happen(self, progress);
        });
        load
    }

    /// Ends the service, and keeps its log.
    pub(crate) fn end(&mut self, signal: Signal) {
        if let Some(serve) = self.serve.take() {
            serve.signal(signal);
            self.log.push_str(&serve.wait().1);
        }
    }

    /// Waits until the service ends, which it does by itself, and not as somebody who has been told
    /// to.
    pub(crate) fn wait_for_failure(&mut self) {
        eventually("the service ends", || !is_running(self.serve()));
        let (status, log) = self.serve.take().expect("it ran").wait();
        assert_eq!(status.code(), Some(1), "{log}");
        self.log.push_str(&log);
    }

    pub(crate) fn start(&mut self) {
        self.serve = Some(Serve::start(&mut self.command()));
    }

    /// Starts another instance beside the service, which ends by itself.
    pub(crate) fn hand_over(&mut self) {
        let next = Serve::start(&mut self.command());
        let (status, log) = self.serve.replace(next).expect("it runs").wait();
        assert_eq!(status.code(), Some(0), "{log}");
        self.log.push_str(&log);
    }

    /// Starts the service, which says why it does not serve, and about what, and ends.
    pub(crate) fn start_in_vain(&mut self, about: &str) {
        let ended = RunResult::of(&mut self.command()).with_code(1);
        ended.says(&[about]);
        self.log.push_str(&ended.stderr);
    }

    /// The log of the instances that have ended.
    pub(crate) fn log(&self) -> &str {
        &self.log
    }

    fn command(&self) -> Command {
        (self.command)(&self.machine)
    }

    /// The final state: quotes by the former attestation key, and the former state.
    pub(crate) fn outcome(mut self, load: Load) -> Outcome {
        let application = Application::new(Library::Fortanix, &self.machine.socket());
        eventually("there are quotes again", || application.quote(7).is_ok());
        assert_eq!(Identity::of(&self.machine), self.identity, "something was lost");
        self.end(Signal::TERM);
        Outcome { load, log: self.log }
    }
}

impl Identity {
    fn of(machine: &Machine) -> Self {
        let quoter = AesmQuoter::new(machine.socket(), Duration::from_secs(15));
        let key = quoter.initialize(&AttestationKeyId::ecdsa_p256()).unwrap();
        Self { public_key_id: key.public_key_id, state: content(&machine.path("state")) }
    }
}

/// Each file of a directory with its bytes; one that cannot be read has none.
pub(crate) fn content(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    files.map(|file| (file.clone(), std::fs::read(&file).unwrap_or_default())).collect()
}

/// The program with the arguments of this line, started by another program.
pub(crate) fn started_by(starter: &[&str], machine: &Machine, line: &str) -> Command {
    let program = machine.command(line);
    let mut command = Command::new(starter[0]);
    command.args(&starter[1..]).arg(program.get_program()).args(program.get_args());
    command.current_dir(machine.path("")).env_clear();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// True if it has not exited.
pub(crate) fn is_running(instance: &Serve) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/status", instance.pid()));
    !status.unwrap_or_default().contains("State:\tZ")
}
