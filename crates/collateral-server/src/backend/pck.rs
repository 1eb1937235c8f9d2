//! PCK certificates: from the database, else from the sources.

mod registration;

use std::sync::Arc;
use std::time::{Duration, Instant};

use collateral::{
    CollateralId, Document, Fetcher, Pause, PckCertificateRequest, PckTcb, SingleFlight, Source,
    SourceError,
};

use super::error::BackendError;
use super::pck_list_source::PckListSource;
use super::pck_lists::PckLists;
use super::rate_limits::RateLimits;
use super::summary;
use crate::client::Client;
use crate::mode::Mode;
use crate::platform_store::{
    Authority, PckCertificates, PlatformKey, PlatformStore, StoredPlatform,
};

/// A certificate that cannot be found is not looked for again for this time.
pub(super) const FAILURE_PAUSE: Pause = Pause::Fixed(Duration::from_secs(2));

/// A fetch in progress. It includes the encrypted PPID, so that a request with a wrong one does not
/// fail those with the right one.
type FlightKey = (PlatformKey, PckTcb, Option<Box<[u8; 384]>>);

/// Serves PCK certificates of platforms, and registers platforms.
pub(crate) struct PckBackend {
    mode: Mode,
    sources: SourcesByAuthority,
    lists: Arc<PckLists>,
    store: Arc<PlatformStore>,
    rate_limits: Arc<RateLimits>,
    flights: SingleFlight<FlightKey, BackendError>,
}

/// The sources, separately for each authority by which they are asked.
pub(super) struct SourcesByAuthority {
    pub(super) anyone: PckSources,
    pub(super) refresh: PckSources,
    pub(super) user: PckSources,
}

/// The sources of PCK certificates.
pub(super) struct PckSources {
    pub(super) fetcher: Fetcher,
    /// Those of the fetcher's sources that offer lists, and store them.
    pub(super) with_lists: Vec<PckListSource>,
}

impl PckBackend {
    pub(super) fn new(
        mode: Mode,
        sources: SourcesByAuthority,
        lists: Arc<PckLists>,
        store: Arc<PlatformStore>,
        rate_limits: Arc<RateLimits>,
    ) -> Self {
        Self { mode, sources, lists, store, rate_limits, flights: SingleFlight::new(FAILURE_PAUSE) }
    }

    pub(crate) fn lists(&self) -> &PckLists {
        &self.lists
    }

    /// The certificate for a platform at its TCB.
    pub(crate) fn certificate(
        &self,
        request: &PckCertificateRequest,
        client: Client,
        deadline: Instant,
    ) -> Result<Document, BackendError> {
        let (key, tcb) = key_and_tcb(request);
        let stored = || Ok(self.store.chosen(&key, &tcb)?);
        if let Some(document) = stored()? {
            return Ok(document);
        }
        let find = || self.find(request, client, deadline);
        let flight = (key, tcb, request.encrypted_ppid.clone());
        let found = self.flights.run(flight, deadline, stored, find);
        found.unwrap_or(Err(SourceError::Timeout.into()))
    }

    /// Finds the certificate at a TCB for which none was chosen yet.
    fn find(
        &self,
        request: &PckCertificateRequest,
        client: Client,
        deadline: Instant,
    ) -> Result<Document, BackendError> {
        let (key, tcb) = key_and_tcb(request);
        let Some(platform) = self.store.platform(&key)? else {
            return match self.mode {
                Mode::Lazy => {
                    self.rate_limits.check_client(client)?;
                    self.fetch(request, Authority::Anyone, deadline)
                }
                Mode::Req | Mode::Offline => Err(SourceError::UnknownPlatform.into()),
            };
        };
        if self.mode != Mode::Lazy {
            return self.select(&key, &platform, &tcb, true);
        }
        // The sources may have a better certificate for this TCB than the database.
        if let Err(wait) = self.rate_limits.check_platform(key, client) {
            return self.select(&key, &platform, &tcb, false).map_err(|_| wait.into());
        }
        let request = PckCertificateRequest {
            encrypted_ppid: request
                .encrypted_ppid
                .clone()
                .or_else(|| encrypted_ppid(&platform.encrypted_ppid)),
            ..request.clone()
        };
        self.fetch(&request, Authority::Anyone, deadline).or_else(|error| {
            self.select(&key, &platform, &tcb, !error.is_failure()).map_err(|_| error)
        })
    }

    /// The best of the stored certificates.
    fn select(
        &self,
        key: &PlatformKey,
        platform: &StoredPlatform,
        tcb: &PckTcb,
        remember: bool,
    ) -> Result<Document, BackendError> {
        let selected = self.lists.select(key, platform.fmspc, tcb)?;
        let selected = selected.ok_or(SourceError::NoCertificate)?;
        if remember {
            self.store.choose(key, tcb, &selected)?;
        }
        Ok(self.store.certificate(key, &selected)?.ok_or(SourceError::NoCertificate)?)
    }

    /// Fetches from the sources, and stores as much of the response as the authority allows.
    fn fetch(
        &self,
        request: &PckCertificateRequest,
        authority: Authority,
        deadline: Instant,
    ) -> Result<Document, BackendError> {
        let (item, sources) =
            (CollateralId::PckCertificate(request.clone()), self.sources.of(authority));
        let record = sources.fetcher.fetch(&item, deadline).map_err(|error| {
            match summary(&error) {
                // Without an encrypted PPID, Intel's PCS cannot be asked.
                SourceError::NotFound | SourceError::Status(400)
                    if request.encrypted_ppid.is_none() =>
                {
                    SourceError::UnknownPlatform
                }
                other => other,
            }
        })?;
        let is_stored = sources.with_lists.iter().any(|source| source.name() == record.source);
        if !is_stored && let Err(error) = self.store(request, &record.document, authority) {
            if authority != Authority::Anyone {
                return Err(error);
            }
            tracing::error!(%error, "cannot store a PCK certificate, which is served");
        }
        Ok(record.document)
    }

    /// Stores a certificate that a source has chosen, if the authority allows it.
    fn store(
        &self,
        request: &PckCertificateRequest,
        document: &Document,
        authority: Authority,
    ) -> Result<(), BackendError> {
        let (certificates, contents) = PckCertificates::one(document)
            .map_err(|error| SourceError::Malformed(error.to_string()))?;
        let (key, tcb) = key_and_tcb(request);
        let platform = StoredPlatform::of(&contents, request);
        self.store.add(&key, &platform, &certificates, &tcb, authority)?;
        Ok(())
    }
}

impl SourcesByAuthority {
    fn of(&self, authority: Authority) -> &PckSources {
        match authority {
            Authority::Anyone => &self.anyone,
            Authority::Refresh => &self.refresh,
            // Administrators upload certificates and have none fetched.
            Authority::User | Authority::Administrator => &self.user,
        }
    }
}

fn encrypted_ppid(bytes: &[u8]) -> Option<Box<[u8; 384]>> {
    bytes.try_into().ok().map(Box::new)
}

fn key_and_tcb(request: &PckCertificateRequest) -> (PlatformKey, PckTcb) {
    let tcb = PckTcb { cpu_svn: request.cpu_svn, pce_svn: request.pce_svn };
    (PlatformKey::from(request), tcb)
}
