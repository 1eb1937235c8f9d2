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
    /// What it may write, and whether the kernel sees to that.
    pub(crate) sandbox: Sandbox,
}

impl ServerProcess {
    /// Hardens this process, confines it to `writable` and starts its log. `None` means that the settings turn the
    /// sandbox off.
    ///
    /// Call it while there is one thread and no child process: both would be outside. The paths are asked for once new
    /// directories are this user's alone.
    ///
    /// # Errors
    /// If the process cannot be hardened, or a directory cannot be made. A kernel without a sandbox is a warning.
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
