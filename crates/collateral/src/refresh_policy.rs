//! For how long what is kept is good enough.

use std::time::Duration;

/// When what is kept is to be fetched again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshPolicy {
    /// After this time [`Cache::refresh_due`](crate::Cache::refresh_due) fetches it again, while the old one serves.
    pub refresh_after: Duration,
    /// After this time who asks for a PCK certificate waits a little for a newer one; `None`: when it says itself
    /// that it has expired.
    pub pck_expires_after: Option<Duration>,
    /// The same for other collateral.
    pub collateral_expires_after: Option<Duration>,
    /// How long who asks waits for what is not there at all.
    pub max_wait: Duration,
}

impl Default for RefreshPolicy {
    /// Fetched again after a day, as Intel's caching service does; expired when it says so itself; 10 seconds for
    /// what is not there.
    fn default() -> Self {
        Self {
            refresh_after: Duration::from_secs(24 * 3600),
            pck_expires_after: None,
            collateral_expires_after: None,
            max_wait: Duration::from_secs(10),
        }
    }
}
