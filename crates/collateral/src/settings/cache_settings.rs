//! Settings of the cache.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Base, Machine, PartialSettings, SettingsError, azdcap};

/// The cache directory of root and of the service's user.
const OF_SYSTEM: &str = "/var/cache/quote-helper/collateral";
/// The directory of other users, below their directory for caches.
const OF_USER: &str = "quote-helper/collateral";
/// The default size of the cache, in bytes. One machine needs about 100 KiB.
const MAX_SIZE: u64 = 64 * 1024 * 1024;

/// The directory, size and age of the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheSettings {
    /// The directory, which all programs of a user share; `None`: memory only. It is never one that
    /// everybody can write to: a valid document can still be old.
    pub directory: Option<PathBuf>,
    /// The maximum size, in bytes.
    pub max_size: u64,
    /// The age from which a PCK certificate counts as expired; `None`: by its own dates.
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
    // The XDG base directory specification allows absolute paths only.
    let of = |variable| machine.path(variable).filter(|path| path.is_absolute());
    if let Some(directory) = of("XDG_CACHE_HOME") {
        return Some(directory.join(OF_USER));
    }
    if machine.uses_system_cache {
        return Some(OF_SYSTEM.into());
    }
    of("HOME").map(|home: &Path| home.join(".cache").join(OF_USER))
}
