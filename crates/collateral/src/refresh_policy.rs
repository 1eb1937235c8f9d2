//! Ages at which cached records are refreshed.

use std::time::Duration;

/// Ages at which cached records are refreshed, and the wait for missing ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshPolicy {
    /// Age from which [`Cache::refresh_due`](crate::Cache::refresh_due) refreshes a record.
    pub refresh_after: Duration,
    /// Age from which a PCK certificate counts as expired; `None`: by its own dates.
    pub pck_expires_after: Option<Duration>,
    /// The same for other collateral.
    pub collateral_expires_after: Option<Duration>,
    /// Maximum wait for an item that is not cached.
    pub max_wait: Duration,
}

impl Default for RefreshPolicy {
    /// A refresh after a day, as Intel's caching service does; expiry by the documents' dates; a
    /// maximum wait of 10 seconds.
    fn default() -> Self {
        Self {
            refresh_after: Duration::from_secs(24 * 3600),
            pck_expires_after: None,
            collateral_expires_after: None,
            max_wait: Duration::from_secs(10),
        }
    }
}
