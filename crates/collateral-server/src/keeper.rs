//! What the server knows: collateral in a cache of files, platforms in a database; and whom it asks for more.

mod allowance;
mod evaluation;
mod issuer_chains;
mod list_source;
mod pck;
mod pck_lists;
mod sources;
mod tcb_statuses;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use collateral::settings::Settings;
use collateral::{
    AttemptError, Cache, CollateralId, Document, FetchError, Flights, OpenError, SourceError,
    TcbUpdate,
};
use verify::{EnclaveId, PckCa};

use self::allowance::Allowance;
pub(crate) use self::pck::PckKeeper;
pub(crate) use self::pck_lists::CheckedList;
pub(crate) use self::tcb_statuses::TcbStatuses;
use crate::api::Backend;
use crate::asker::Asker;
use crate::metrics::Metrics;
use crate::mode::Mode;
use crate::platform_store::{PlatformStore, StoreError};

/// How long one question may take, the questions to sources included.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Answers what it can, and asks for the rest as its mode allows.
pub(crate) struct Keeper {
    mode: Mode,
    has_sources: bool,
    cache: Arc<Cache>,
    store: Arc<PlatformStore>,
    pck: PckKeeper,
    allowance: Arc<Allowance>,
    /// The name of what is asked for at a time.
    flights: Flights<String>,
}

/// The server cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// The settings name something that cannot be used.
    #[error(transparent)]
    Settings(#[from] OpenError),
    /// The database of platforms cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Keeper {
    /// Opens the database in this file, and the cache and the sources that the settings name.
    pub(crate) fn open(
        mode: Mode,
        settings: &Settings,
        database: &Path,
        metrics: &Metrics,
    ) -> Result<Self, KeeperError> {
        let store = Arc::new(PlatformStore::open(database)?);
        let cache = Arc::new(sources::cache(mode, settings, metrics)?);
        let allowance = Arc::<Allowance>::default();
        let pck = sources::pck(mode, settings, metrics, &cache, &store, &allowance)?;
        let (has_sources, flights) = (!settings.sources.is_empty(), Flights::default());
        Ok(Self { mode, has_sources, cache, store, pck, allowance, flights })
    }

    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    pub(crate) fn cache(&self) -> &Cache {
        &self.cache
    }

    pub(crate) fn store(&self) -> &PlatformStore {
        &self.store
    }

    pub(crate) fn pck(&self) -> &PckKeeper {
        &self.pck
    }

    /// Sees to it that what verifiers need of all platforms is there.
    pub(crate) fn prefetch(&self, sets: &[TcbUpdate]) {
        let crls = [PckCa::Processor, PckCa::Platform].map(CollateralId::PckCrl);
        let enclaves = [EnclaveId::Qe, EnclaveId::Qve, EnclaveId::TdQe];
        let identities = sets.iter().flat_map(|set| {
            enclaves.map(|enclave| CollateralId::EnclaveIdentity { enclave, set: *set })
        });
        for item in crls.into_iter().chain([CollateralId::RootCaCrl]).chain(identities) {
            if let Err(error) = self.cache.get(&item) {
                tracing::debug!(%error, "collateral was not fetched ahead");
            }
        }
    }

    /// Fetches all collateral again that is kept.
    ///
    /// # Errors
    /// What could not be fetched, or the failure of the disk, in words.
    pub(crate) fn refresh(&self) -> Result<(), String> {
        let records = self.cache.records().map_err(|error| self.cannot_read(&error))?;
        let failures: Vec<_> = records
            .iter()
            .filter_map(|record| self.cache.refresh(&record.item).err())
            .map(|error| error.to_string())
            .collect();
        if failures.is_empty() { Ok(()) } else { Err(failures.join("; ")) }
    }

    /// What keeps this server from its work, in words.
    pub(crate) fn problem(&self) -> Option<String> {
        if let Err(error) = self.store.count() {
            return Some(error.to_string());
        }
        if let Some(directory) = self.cache.directory() {
            let path = directory.path();
            let written = std::fs::create_dir_all(path).and_then(|()| tempfile::tempfile_in(path));
            if let Err(error) = written {
                return Some(format!("the cache {} cannot be written: {error}", path.display()));
            }
        }
        let lacks = self.mode.asks() && !self.has_sources;
        lacks.then(|| "there is no source to ask; name one, or choose the mode offline".to_owned())
    }

    fn cannot_read(&self, error: &io::Error) -> String {
        let path = self.cache.directory().map(|directory| directory.path().display().to_string());
        format!("the cache {} cannot be read: {error}", path.unwrap_or_default())
    }
}

impl Keeper {
    /// Collateral that is kept, and otherwise fetched. Only what is not kept counts.
    fn collateral(
        &self,
        item: &CollateralId,
        asker: Asker,
        deadline: Instant,
    ) -> Result<Document, SourceError> {
        let flight =
            || self.flights.take_off(item.to_string(), deadline).ok_or(SourceError::Timeout);
        let _flight = self.cache.would_fetch(item).then(flight).transpose()?;
        if self.cache.would_fetch(item) {
            self.allowance.stranger(asker)?;
        }
        let record = self.cache.get(item).map_err(|error| as_source_error(&error))?;
        Ok(record.document.clone())
    }
}

impl Backend for Keeper {
    fn find(
        &self,
        item: &CollateralId,
        asker: Asker,
        deadline: Instant,
    ) -> Result<Document, SourceError> {
        if let Some(document) = self.kept_by_number(item) {
            return Ok(document);
        }
        match item {
            CollateralId::PckCertificate(question) => {
                self.pck.certificate(question, asker, deadline)
            }
            _ if self.mode == Mode::Lazy => self.collateral(item, asker, deadline),
            _ => {
                let record = self.cache.peek(item).ok_or(SourceError::NotFound)?;
                Ok(record.document.clone())
            }
        }
    }
}

/// The answers of all sources together. Those are no trouble that blame the question: status 400,
/// 410 for a TCB evaluation that has been withdrawn, and the answer of a PCCS to a question for a
/// TCB evaluation data number, which it does not know as a parameter.
fn as_source_error(error: &FetchError) -> SourceError {
    let mut answer = SourceError::NotFound;
    for reason in error.reasons() {
        match reason {
            AttemptError::Source(error) if !error.is_source_failure() => {
                if matches!(error, SourceError::UnknownPlatform | SourceError::NoCertificate) {
                    answer = error.clone();
                }
            }
            AttemptError::Source(SourceError::Status(410)) => {}
            AttemptError::Source(error @ SourceError::Status(400)) => {
                if answer == SourceError::NotFound {
                    answer = error.clone();
                }
            }
            AttemptError::Refused(error) if error.is_other_evaluation() => {}
            _ => return SourceError::Unreachable(error.to_string()),
        }
    }
    answer
}

impl From<StoreError> for SourceError {
    fn from(error: StoreError) -> Self {
        Self::Unreachable(error.to_string())
    }
}
