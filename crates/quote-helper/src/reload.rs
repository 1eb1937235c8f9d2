//! SIGHUP: a server reloads its files, and keeps the old settings if the new ones are wrong.
//! docs/signals.md lists the files of each server.

use std::future::Future;
use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tracing::{error, info, warn};

use crate::failure::explain;
use crate::service_manager::ServiceManager;

/// The changes since the last reload, by the names of settings.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// Applied.
    pub(crate) applied: Vec<String>,
    /// Applied by a restart.
    pub(crate) pending: Vec<String>,
}

/// Reloads at each SIGHUP, sequentially, and notifies the service manager and the log; `serving` is
/// the status afterwards.
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
                    error!(error = %explain(&error), "not reloaded: the old settings remain");
                }
            }
            manager.reloaded(serving);
        }
    });
    Ok(())
}

/// Logs at each SIGHUP that this server has nothing to reload, and why.
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
            true => info!("reloaded: no reloadable setting has changed"),
            false => info!(changed = self.applied.join(", "), "reloaded"),
        }
        if !self.pending.is_empty() {
            warn!(settings = self.pending.join(", "), "these changed settings need a restart");
        }
    }
}
