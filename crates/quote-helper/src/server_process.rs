//! The start of every long-running server: harden the process, enter the sandbox, start the log.
//!
//! [`ServerProcess::start`] is the only way to a log, so that a server cannot leave the others out.

mod hardening;
mod journal;
mod logging;
mod replaced;
mod sandbox;
mod writable_paths;

pub(crate) use hardening::harden;
pub(crate) use logging::{Log, LogFormat};
pub(crate) use sandbox::Sandbox;
pub(crate) use writable_paths::{WritablePaths, parent};

use crate::environment;

/// The process of a server, confined before it does anything else.
#[must_use]
pub(crate) struct ServerProcess {
    /// Its log, which ends when this is dropped.
    pub(crate) log: Log,
    /// The paths that it may write, and whether the kernel enforces that.
    pub(crate) sandbox: Sandbox,
}

impl ServerProcess {
    /// Hardens this process, confines it to `writable` and starts its log. `None` turns the sandbox
    /// off.
    ///
    /// To be called while there is one thread and no child process: both would be outside.
    /// `writable` is called once new directories are private.
    ///
    /// # Errors
    /// If the process cannot be hardened, or a directory cannot be made. A kernel without Landlock
    /// is a warning.
    pub(crate) fn start(
        format: LogFormat,
        writable: impl FnOnce() -> anyhow::Result<Option<WritablePaths>>,
    ) -> anyhow::Result<Self> {
        harden()?;
        let sandbox = Sandbox::enter(writable()?);
        let log = logging::start(format);
        sandbox.report();
        environment::warn_of_unknown_variables();
        Ok(Self { log, sandbox })
    }
}
