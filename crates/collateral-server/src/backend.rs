//! The data behind the API: collateral in a cache of files, platforms in a database, and the
//! sources of both.

mod counted_source;
mod error;
mod evaluation;
mod issuer_chains;
mod pck;
mod pck_list_source;
mod pck_lists;
mod rate_limits;
mod sources;
mod tcb_statuses;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use collateral::settings::Settings;
use collateral::{
    AttemptError, Cache, CollateralId, Document, FetchError, OpenError, SingleFlight, SourceError,
    TcbUpdate,
};
use verify::{EnclaveId, PckCa};

pub(crate) use self::error::BackendError;
pub(crate) use self::pck::PckBackend;
pub(crate) use self::pck_lists::CheckedList;
use self::rate_limits::RateLimits;
use crate::client::Client;
use crate::metrics::Metrics;
use crate::mode::Mode;
use crate::platform_store::PlatformStore;

/// Time limit of one request, including the requests to sources that it causes.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// The deadline of a request that starts now.
pub(crate) fn deadline() -> Instant {
    let now = Instant::now();
    now.checked_add(REQUEST_TIMEOUT).unwrap_or(now)
}

/// Serves documents that it keeps, and fetches others as its mode allows.
pub(crate) struct Backend {
    mode: Mode,
    has_sources: bool,
    cache: Arc<Cache>,
    store: Arc<PlatformStore>,
    pck: PckBackend,
    rate_limits: Arc<RateLimits>,
    /// Fetches in progress, by the name of the item.
    flights: SingleFlight<String, ()>,
}

impl Backend {
    /// Opens the cache and the sources that the settings name.
    pub(crate) fn open(
        mode: Mode,
        settings: &Settings,
        store: PlatformStore,
        metrics: &Metrics,
    ) -> Result<Self, OpenError> {
        let store = Arc::new(store);
        let cache = Arc::new(sources::cache(mode, settings, metrics)?);
        let rate_limits = Arc::<RateLimits>::default();
        let pck = sources::pck(mode, settings, metrics, &cache, &store, &rate_limits)?;
        let (has_sources, flights) =
            (!settings.sources.is_empty(), SingleFlight::new(pck::FAILURE_PAUSE));
        Ok(Self { mode, has_sources, cache, store, pck, rate_limits, flights })
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

    pub(crate) fn pck(&self) -> &PckBackend {
        &self.pck
    }

    /// Finds a document for this client.
    ///
    /// # Errors
    /// [`BackendError`] when there is none, or it cannot be fetched before the deadline.
    pub(crate) fn find(
        &self,
        item: &CollateralId,
        client: Client,
        deadline: Instant,
    ) -> Result<Document, BackendError> {
        if let Some(document) = self.cached_by_number(item) {
            return Ok(document);
        }
        match item {
            CollateralId::PckCertificate(request) => {
                self.pck.certificate(request, client, deadline)
            }
            _ if self.mode == Mode::Lazy => Ok(self.collateral(item, client, deadline)?),
            _ => {
                let record = self.cache.peek(item).ok_or(SourceError::NotFound)?;
                Ok(record.document.clone())
            }
        }
    }

    /// Collateral from the cache, else from a source. Only fetches count against the rate limit.
    fn collateral(
        &self,
        item: &CollateralId,
        client: Client,
        deadline: Instant,
    ) -> Result<Document, SourceError> {
        let flight =
            || self.flights.acquire(item.to_string(), deadline).ok_or(SourceError::Timeout);
        let _flight = self.cache.would_fetch(item).then(flight).transpose()?;
        if self.cache.would_fetch(item) {
            self.rate_limits.check_client(client)?;
        }
        let record = self.cache.get(item).map_err(|error| summary(&error))?;
        Ok(record.document.clone())
    }

    /// Fetches the collateral that verifiers need for any platform, unless it is cached.
    pub(crate) fn prefetch(&self, sets: &[TcbUpdate]) {
        let crls = [PckCa::Processor, PckCa::Platform].map(CollateralId::PckCrl);
        let enclaves = [EnclaveId::Qe, EnclaveId::Qve, EnclaveId::TdQe];
        let identities = sets.iter().flat_map(|set| {
            enclaves.map(|enclave| CollateralId::EnclaveIdentity { enclave, set: *set })
        });
        for item in crls.into_iter().chain([CollateralId::RootCaCrl]).chain(identities) {
            if let Err(error) = self.cache.get(&item) {
                tracing::debug!(%error, "cannot prefetch collateral");
            }
        }
    }

    /// Refetches all cached collateral.
    ///
    /// # Errors
    /// The items that could not be fetched, or the failure of the disk, as text.
    pub(crate) fn refresh(&self) -> Result<(), String> {
        let records = self.cache.records().map_err(|error| self.cannot_read(&error))?;
        let failures: Vec<_> = records
            .iter()
            .filter_map(|record| self.cache.refresh(&record.item).err())
            .map(|error| error.to_string())
            .collect();
        if failures.is_empty() { Ok(()) } else { Err(failures.join("; ")) }
    }

    /// The reason why this server cannot work, if there is one.
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
        let lacks = self.mode.may_fetch() && !self.has_sources;
        lacks.then(|| "there is no source to ask; name one, or choose the mode offline".to_owned())
    }

    fn cannot_read(&self, error: &io::Error) -> String {
        let path = self.cache.directory().map(|directory| directory.path().display().to_string());
        format!("the cache {} cannot be read: {error}", path.unwrap_or_default())
    }
}

/// One error for the errors of all sources. These blame the request and not the source: status
/// 400; 410 for a withdrawn TCB evaluation; another evaluation from a PCCS that ignores the TCB
/// evaluation data number.
fn summary(error: &FetchError) -> SourceError {
    let mut summary = SourceError::NotFound;
    for reason in error.reasons() {
        match reason {
            AttemptError::Source(error) if !error.is_source_failure() => {
                if matches!(error, SourceError::UnknownPlatform | SourceError::NoCertificate) {
                    summary = error.clone();
                }
            }
            AttemptError::Source(SourceError::Status(410)) => {}
            AttemptError::Source(error @ SourceError::Status(400)) => {
                if summary == SourceError::NotFound {
                    summary = error.clone();
                }
            }
            AttemptError::Refused(error) if error.is_other_evaluation() => {}
            _ => return SourceError::Unreachable(error.to_string()),
        }
    }
    summary
}
