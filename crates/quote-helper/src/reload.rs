//! SIGHUP: a server reads its files again, and goes on with the old settings if the new ones are
//! wrong. docs/signals.md says for each server what is read.

use std::future::Future;
use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tracing::{error, info, warn};

use crate::failure::explain;
use crate::service_manager::ServiceManager;

/// The changes since the files were read for the last time, by the names of settings.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// These hold from now on.
    pub(crate) applied: Vec<String>,
    /// These hold as soon as the server is started again.
    pub(crate) pending: Vec<String>,
}

/// Reloads at each SIGHUP, one after the other, and tells the service manager and the log;
/// `serving` is the state in which the server is again afterwards.
///
/// # Errors
/// When the signal cannot be received.
pub(crate) fn on_hangup<R>(
    manager: ServiceManager,
    serving: &'static str,
    mut reload: impl FnMut() -> R + Send + 'static,
) -> io::Result<()>
where
    R: Future<Output = anyhow::Result<Changes>> + Send,
{
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            manager.reloading("reloading");
            info!("SIGHUP: reloading");
            match reload().await {
                Ok(changes) => changes.log(),
                Err(error) => {
                    error!(error = %explain(&error), "not reloaded: the old settings stay");
                }
            }
            manager.reloaded(serving);
        }
    });
    Ok(())
}

/// Logs at each SIGHUP that this server has nothing to read again, and why.
///
/// # Errors
/// When the signal cannot be received.
pub(crate) fn nothing_on_hangup(why: &'static str) -> io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            info!("SIGHUP: nothing to reload: {why}");
        }
    });
    Ok(())
}

impl Changes {
    fn log(&self) {
        match self.applied.is_empty() {
            true => info!("reloaded: nothing has changed that can be reloaded"),
            false => info!(changed = self.applied.join(", "), "reloaded"),
        }
        if !self.pending.is_empty() {
            warn!(
                settings = self.pending.join(", "),
                "changed, and not in force: these settings need a restart"
            );
        }
    }
}
