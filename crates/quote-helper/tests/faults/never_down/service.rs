//! A service that may be replaced by another instance of itself.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::process::{Signal, kill_process};
use test_support::provider::Provider;

use crate::support::{Machine, SERVE, Serve, eventually};

const WORKERS: usize = 2;

/// A running service on a machine of its own.
pub(crate) struct Service {
    // Dropped in this order: the process before its directory.
    serve: Serve,
    arguments: String,
    machine: Machine,
    _provider: Option<Provider>,
}

impl Service {
    /// Quotes are made by the service's own process.
    pub(crate) fn software() -> Self {
        Self::start(SERVE.to_owned(), None)
    }

    /// Quotes of the software platform are made by workers.
    pub(crate) fn isolated() -> Self {
        Self::start(format!("{SERVE} --isolate --workers {WORKERS}"), None)
    }

    /// Quotes are made by workers, with a library that has the interface of Intel's.
    pub(crate) fn dcap() -> Self {
        let provider = Provider::build();
        let arguments = format!(
            "serve --platform dcap --socket aesm.socket --state-dir state --workers {WORKERS} --log-format json \
             --dcap-library {}",
            provider.library().display()
        );
        Self::start(arguments, Some(provider))
    }

    fn start(arguments: String, provider: Option<Provider>) -> Self {
        let machine = Machine::new();
        let serve = Serve::start(&mut machine.command(&arguments));
        Self { serve, arguments, machine, _provider: provider }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.machine.socket()
    }

    pub(super) fn signal(&mut self, signal: Signal) {
        self.serve.signal(signal);
    }

    /// Starts another instance beside this one, which is to end by itself.
    pub(super) fn hand_over(&mut self) {
        self.hand_over_to(Path::new(env!("CARGO_BIN_EXE_quote-helper")));
    }

    /// Does the same with another version of the program.
    pub(crate) fn hand_over_to(&mut self, program: &Path) {
        let next = Serve::start(&mut self.machine.command_of(program, &self.arguments));
        let (status, log) = std::mem::replace(&mut self.serve, next).wait();
        assert_eq!(status.code(), Some(0), "{log}");
    }

    /// Kills the service, and starts it again after this pause.
    pub(super) fn kill(&mut self, pause: Duration) {
        self.signal(Signal::KILL);
        thread::sleep(pause);
        self.serve = Serve::start(&mut self.machine.command(&self.arguments));
    }

    pub(super) fn kill_worker(&mut self) {
        let kill = || {
            let workers = self.serve.children();
            workers.first().is_some_and(|worker| kill_process(*worker, Signal::KILL).is_ok())
        };
        eventually("there is a worker", kill);
    }
}
