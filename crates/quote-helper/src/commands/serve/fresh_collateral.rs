//! What the quote provider library keeps in its cache is fetched again in time, so that no quote waits for it.

use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use collateral::settings::{Machine, OwnSettings, Settings};
use collateral::{Cache, Notice};
use tracing::{error, info, warn};

/// How often it is looked what is due.
const ROUND: Duration = Duration::from_secs(60);

/// Goes on until the process ends. The library has the same settings, and so the same cache; who does not use ours
/// has nothing in it.
pub(super) fn keep_fresh(config: Option<&Path>) -> anyhow::Result<()> {
    let machine = Machine { config_file: config.map(Path::to_owned), ..Machine::this() };
    let settings = Settings::choose(OwnSettings::default(), &machine)?;
    let cache = Cache::open(&settings, Box::new(tell))?;
    let Some(directory) = cache.directory() else { return Ok(()) };
    info!(cache = %directory.path().display(), "keeping collateral fresh");
    thread::Builder::new()
        .name("collateral".to_owned())
        .spawn(move || {
            loop {
                refresh(&cache);
                thread::sleep(ROUND);
            }
        })
        .context("cannot start a thread for it")?;
    Ok(())
}

fn refresh(cache: &Cache) {
    match cache.refresh_due() {
        Ok(results) => {
            for error in results.iter().filter_map(|result| result.as_ref().err()) {
                warn!(%error, "what is kept of it serves on");
            }
        }
        Err(error) => error!(%error, "the cache of collateral cannot be read"),
    }
}

fn tell(notice: &Notice) {
    match notice {
        Notice::Fetched(_) => info!("{notice}"),
        _ => warn!("{notice}"),
    }
}
