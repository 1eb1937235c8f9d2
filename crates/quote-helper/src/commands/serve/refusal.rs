//! A new instance that does not take over, because it failed the conformance run.

use std::time::Duration;

use anyhow::anyhow;
use sockets::Peer;
use tracing::error;

use super::health;
use super::http::INDEX;
use crate::failure::explain;
use crate::listen::Listeners;
use crate::settings::{AfterHandOver, Settings};
use crate::shutdown::Shutdown;

/// The time for probes to read the reason, before a supervisor starts this instance again.
const PROBE_TIME: Duration = Duration::from_secs(60);

/// Says at the health endpoints, for a supervisor that restarts each process that exits, why this
/// instance does not take over. Returns that as an error, after a while or at the shutdown.
pub(super) async fn refuse(
    predecessor: Peer,
    reason: &anyhow::Error,
    settings: &Settings,
    shutdown: &Shutdown,
) -> anyhow::Error {
    let reason = format!(
        "not taking over from {predecessor}, which continues to serve: {}",
        explain(reason)
    );
    if settings.after_hand_over() == AfterHandOver::Wait {
        error!(reason, "this instance does not serve");
        show(&reason, settings, shutdown).await;
        let _ = tokio::time::timeout(PROBE_TIME, shutdown.begun()).await;
        shutdown.finish().await;
    }
    anyhow!("{reason}. --take-over replaces it all the same")
}

/// Serves the health endpoints, unless the predecessor has their address.
async fn show(reason: &str, settings: &Settings, shutdown: &Shutdown) {
    let Some(address) = &settings.metrics_listen else { return };
    let router = INDEX.on(health::of_refusal(reason));
    let mut listeners = Listeners::default();
    let served = address.serve("health", router, &mut listeners, shutdown.begun()).await;
    if let Err(error) = served {
        tracing::info!(error = %explain(&error), "the reason is in this log only");
    }
}
