//! A cache is kept fresh, and what happens is logged.

use collateral::{Cache, Event};

/// Fetches again what is due, and gives the number of failures. What cannot be fetched serves on.
pub fn refresh_due(cache: &Cache) -> u64 {
    let results = match cache.refresh_due() {
        Ok(results) => results,
        Err(error) => {
            tracing::error!(%error, "the cache cannot be read");
            return 1;
        }
    };
    let errors = results.iter().filter_map(|result| result.as_ref().err());
    let warn = |error| {
        tracing::warn!(%error, "collateral that is due was not fetched; the old one serves");
    };
    errors.map(warn).fold(0, |failures, ()| u64::saturating_add(failures, 1))
}

/// Logs what a cache has to say.
pub fn log_notice(notice: &Event) {
    match notice {
        Event::Fetched(_) => tracing::info!("{notice}"),
        _ => tracing::warn!("{notice}"),
    }
}
