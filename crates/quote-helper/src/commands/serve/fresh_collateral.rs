//! Refreshes the cache of the quote provider library, so that no quote waits for the network.

use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use collateral::settings::{Machine, PartialSettings, Settings};
use collateral::{Cache, node_statuses};
use collateral_server::{log_event, refresh_due};
use tracing::info;

use super::node_metrics::NodeMetrics;

const ROUND: Duration = Duration::from_secs(60);

/// The settings of the quote provider library.
pub(super) fn settings(config: Option<&Path>) -> anyhow::Result<Settings> {
    let machine = Machine { config_file: config.map(Path::to_owned), ..Machine::this() };
    Ok(Settings::choose(PartialSettings::default(), &machine)?)
}

/// Starts a thread that refreshes until the process ends. The library has the same settings, and so
/// the same cache, which is empty with another quote provider.
pub(super) fn keep_fresh(config: Option<&Path>, metrics: NodeMetrics) -> anyhow::Result<()> {
    let settings = settings(config)?;
    let cache = Cache::open(&settings, Box::new(log_event))?;
    let Some(directory) = cache.directory() else { return Ok(()) };
    info!(cache = %directory.path().display(), "keeping collateral fresh");
    thread::Builder::new()
        .name("collateral".to_owned())
        .spawn(move || {
            loop {
                metrics.refresh_failures.inc_by(refresh_due(&cache));
                if let Ok(records) = cache.records() {
                    let (set, roots) = (settings.evaluation, cache.fetcher().roots());
                    metrics.update(&node_statuses(&records, set, roots));
                }
                thread::sleep(ROUND);
            }
        })
        .context("cannot start a thread for it")?;
    Ok(())
}
