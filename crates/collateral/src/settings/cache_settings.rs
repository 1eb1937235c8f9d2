//! Where answers are kept.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Base, Machine, PartialSettings, SettingsError, azdcap};

/// The cache directory of root's programs and of the service's.
const OF_SYSTEM: &str = "/var/cache/quote-helper/collateral";
/// Where those of other users do, below the user's directory for caches.
const OF_USER: &str = "quote-helper/collateral";
/// The size of the cache where nobody says otherwise, in bytes. What one machine needs has about
/// 100 KiB.
const MAX_SIZE: u64 = 64 * 1024 * 1024;

/// Where answers are kept, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheSettings {
    /// Each user has another one, and all programs of the user share it. `None`: there is no place,
    /// so answers are kept in memory alone. A directory that everybody may write to is no place:
    /// what is checked can still be old.
    pub directory: Option<PathBuf>,
    /// How large it may become, in bytes.
    pub max_size: u64,
    /// A PCK certificate that was fetched longer ago is asked for again. `None`: as its own dates
    /// say.
    pub pck_max_age: Option<Duration>,
    /// The same for collateral.
    pub collateral_max_age: Option<Duration>,
}

impl CacheSettings {
    pub(super) fn choose(
        own: &PartialSettings,
        base: &Base,
        machine: &Machine,
    ) -> Result<Self, SettingsError> {
        let azure_max_age = azdcap::max_age(machine)?;
        let max_age = |other: Option<Duration>| own.cache_max_age.or(other).or(azure_max_age);
        Ok(Self {
            directory: own.cache_dir.clone().or_else(|| default_directory(machine)),
            max_size: own.cache_max_size.map_or(MAX_SIZE, |size| size.as_u64()),
            pck_max_age: max_age(base.pck_max_age),
            collateral_max_age: max_age(base.collateral_max_age),
        })
    }
}

fn default_directory(machine: &Machine) -> Option<PathBuf> {
    if let Some(directory) = azdcap::cache_directory(machine) {
        return Some(directory);
    }
    // A path that is not absolute is no directory of a user, by the XDG base directory
    // specification.
    let of = |variable| machine.path(variable).filter(|path| path.is_absolute());
    if let Some(directory) = of("XDG_CACHE_HOME") {
        return Some(directory.join(OF_USER));
    }
    if machine.uses_system_cache {
        return Some(OF_SYSTEM.into());
    }
    of("HOME").map(|home: &Path| home.join(".cache").join(OF_USER))
}
