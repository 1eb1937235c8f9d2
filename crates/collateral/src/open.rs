//! Opens sources and caches by settings.

use std::path::PathBuf;
use std::time::SystemTime;

use verify::{RootError, TrustedRoots};

use crate::settings::{Settings, SourceSettings};
use crate::{
    Cache, CacheDirectory, EventHandler, Fetcher, FileSource, PcsSource, RefreshPolicy,
    RetryPolicy, Source, SourceOpenError,
};

/// The largest file with a trusted root, in bytes: a certificate has about 1,000.
const MAX_ROOT: u64 = 64 * 1024;

/// The settings name a file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A source.
    #[error(transparent)]
    Source(#[from] SourceOpenError),
    /// The file with the trusted root.
    #[error("cannot read the trusted root {path}: {reason}")]
    RootFile {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        reason: std::io::Error,
    },
    /// The content of that file.
    #[error("cannot trust {path}: {reason}")]
    Root {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: RootError,
    },
}

impl Cache {
    /// The cache of these settings. Does not fetch or write anything yet.
    ///
    /// # Errors
    /// [`OpenError`] when a file that the settings name cannot be used.
    pub fn open(settings: &Settings, on_event: EventHandler) -> Result<Self, OpenError> {
        let directory = settings.cache.directory.as_ref();
        let directory = directory.map(|path| CacheDirectory::new(path, settings.cache.max_size));
        Ok(Self::new(Fetcher::open(settings)?, directory, settings.into(), on_event))
    }
}

impl Fetcher {
    /// A fetcher with the sources and the trusted root of these settings.
    ///
    /// # Errors
    /// [`OpenError`] when a file that the settings name cannot be used.
    pub fn open(settings: &Settings) -> Result<Self, OpenError> {
        let sources = settings.sources.iter().map(SourceSettings::open);
        Self::open_with(sources.collect::<Result<_, _>>()?, settings)
    }

    /// A fetcher with these sources, otherwise by the settings.
    ///
    /// # Errors
    /// [`OpenError`] when the root that the settings name cannot be used.
    pub fn open_with(
        sources: Vec<Box<dyn Source>>,
        settings: &Settings,
    ) -> Result<Self, OpenError> {
        Ok(Self::new(sources, roots(settings)?, settings.into(), SystemTime::now))
    }
}

impl From<&Settings> for RetryPolicy {
    fn from(settings: &Settings) -> Self {
        Self {
            timeout: settings.timeout,
            retries: settings.retry.times,
            first_pause: settings.retry.delay.unwrap_or(Self::default().first_pause),
        }
    }
}

impl From<&Settings> for RefreshPolicy {
    fn from(settings: &Settings) -> Self {
        Self {
            pck_expires_after: settings.cache.pck_max_age,
            collateral_expires_after: settings.cache.collateral_max_age,
            max_wait: settings.timeout,
            ..Self::default()
        }
    }
}

impl SourceSettings {
    /// Opens the source. Does not connect yet.
    ///
    /// # Errors
    /// [`SourceOpenError`] when a file that they name cannot be used.
    pub fn open(&self) -> Result<Box<dyn Source>, SourceOpenError> {
        Ok(match self {
            Self::Service(service) => Box::new(PcsSource::open(service.clone())?),
            Self::Directory(path) => Box::new(FileSource::new(path)),
        })
    }
}

fn roots(settings: &Settings) -> Result<TrustedRoots, OpenError> {
    let Some(path) = &settings.trusted_root else { return Ok(TrustedRoots::intel()) };
    let bytes = untrusted_input::read(path, MAX_ROOT)
        .map_err(|reason| OpenError::RootFile { path: path.clone(), reason })?;
    TrustedRoots::parse(&bytes).map_err(|reason| OpenError::Root { path: path.clone(), reason })
}
