//! How often strangers may make the server ask its sources, which may count the questions or charge for them.
//!
//! Budgets of strangers are apart from those of token holders and of refreshes.

use std::time::Duration;

use collateral::SourceError;

use crate::asker::Asker;
use crate::budget::{Budget, Rate};
use crate::platform_store::PlatformKey;

/// For what is not kept, for one address: a rack behind it may start at once.
const STRANGER: Rate = Rate { burst: 256, interval: Duration::from_secs(5) };
/// The same for all addresses together.
const STRANGERS: Rate = Rate { burst: 2048, interval: Duration::from_secs(1) };
/// For further TCBs of a platform that is known, for one address: some updates, but not what is made up.
const PLATFORM: Rate = Rate { burst: 15, interval: Duration::from_secs(600) };
/// The same for all platforms and addresses together.
const PLATFORMS: Rate = STRANGERS;

/// Too many questions: the status with which that is answered.
const TOO_MANY: u16 = 429;

/// The rest of it.
pub(super) struct Allowance {
    strangers: Budget<Asker>,
    platforms: Budget<(PlatformKey, Asker)>,
}

impl Default for Allowance {
    fn default() -> Self {
        Self {
            strangers: Budget::new(STRANGER, STRANGERS),
            platforms: Budget::new(PLATFORM, PLATFORMS),
        }
    }
}

impl Allowance {
    /// Counts a question for something that is not kept.
    ///
    /// # Errors
    /// [`SourceError::Busy`] with the time until the next one.
    pub(super) fn stranger(&self, asker: Asker) -> Result<(), SourceError> {
        self.strangers.take(asker).map_err(too_many)
    }

    /// Counts a question for another TCB of a platform that is known.
    ///
    /// # Errors
    /// [`SourceError::Busy`] with the time until the next one.
    pub(super) fn platform(&self, key: PlatformKey, asker: Asker) -> Result<(), SourceError> {
        self.platforms.take((key, asker)).map_err(too_many)
    }
}

fn too_many(wait: Duration) -> SourceError {
    SourceError::Busy { status: TOO_MANY, retry_after: Some(wait) }
}
