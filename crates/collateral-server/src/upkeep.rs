//! A cache is kept fresh, and what happens is logged.

use collateral::{Cache, Notice};

/// Fetches again what is due. What cannot be fetched serves on.
pub fn refresh_due(cache: &Cache) {
    match cache.refresh_due() {
        Ok(results) => {
            for error in results.iter().filter_map(|result| result.as_ref().err()) {
                tracing::warn!(%error, "collateral that is due was not fetched; the old one serves");
            }
        }
        Err(error) => tracing::error!(%error, "the cache cannot be read"),
    }
}

/// Logs what a cache has to say.
pub fn log_notice(notice: &Notice) {
    match notice {
        Notice::Fetched(_) => tracing::info!("{notice}"),
        _ => tracing::warn!("{notice}"),
    }
}
