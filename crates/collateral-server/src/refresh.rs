//! Refresh of a cache, and the log of its events.

use collateral::{Cache, Event};

/// Refetches due items, and returns the number of failures. A failed item stays as it is.
pub fn refresh_due(cache: &Cache) -> u64 {
    let results = match cache.refresh_due() {
        Ok(results) => results,
        Err(error) => {
            tracing::error!(%error, "cannot read the cache");
            return 1;
        }
    };
    let errors = results.iter().filter_map(|result| result.as_ref().err());
    let warn = |error| {
        tracing::warn!(%error, "cannot refresh collateral; the cached copy stays in use");
    };
    errors.map(warn).fold(0, |failures, ()| u64::saturating_add(failures, 1))
}

/// Logs an event of a cache.
pub fn log_event(event: &Event) {
    match event {
        Event::Fetched(_) => tracing::info!("{event}"),
        _ => tracing::warn!("{event}"),
    }
}
