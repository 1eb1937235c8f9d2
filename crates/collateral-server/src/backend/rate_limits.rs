//! Limits on the requests to sources that clients without a token can cause. Sources may limit
//! requests or charge for them.
//!
//! Requests of token holders and refreshes do not count.

use std::time::Duration;

use collateral::SourceError;

use crate::client::Client;
use crate::platform_store::PlatformKey;
use crate::rate_limiter::{Rate, RateLimiter};

/// Of one address, for uncached items. A rack behind one address may start at once.
const CLIENT: Rate = Rate { burst: 256, interval: Duration::from_secs(5) };
/// Of all addresses together.
const ALL_CLIENTS: Rate = Rate { burst: 2048, interval: Duration::from_secs(1) };
/// Of one address, for new TCBs of a known platform: enough for updates, not for invented TCBs.
const PLATFORM: Rate = Rate { burst: 15, interval: Duration::from_secs(600) };
/// Of all platforms and addresses together.
const ALL_PLATFORMS: Rate = ALL_CLIENTS;

const TOO_MANY_REQUESTS: u16 = 429;

/// The rate limiters.
pub(super) struct RateLimits {
    clients: RateLimiter<Client>,
    platforms: RateLimiter<(PlatformKey, Client)>,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            clients: RateLimiter::new(CLIENT, ALL_CLIENTS),
            platforms: RateLimiter::new(PLATFORM, ALL_PLATFORMS),
        }
    }
}

impl RateLimits {
    /// Counts a request for an uncached item.
    ///
    /// # Errors
    /// [`SourceError::Busy`] with the time until the next request may be made.
    pub(super) fn check_client(&self, client: Client) -> Result<(), SourceError> {
        self.clients.take(client).map_err(too_many_requests)
    }

    /// Counts a request for another TCB of a known platform.
    ///
    /// # Errors
    /// [`SourceError::Busy`] with the time until the next request may be made.
    pub(super) fn check_platform(
        &self,
        key: PlatformKey,
        client: Client,
    ) -> Result<(), SourceError> {
        self.platforms.take((key, client)).map_err(too_many_requests)
    }
}

fn too_many_requests(wait: Duration) -> SourceError {
    SourceError::Busy { status: TOO_MANY_REQUESTS, retry_after: Some(wait) }
}
