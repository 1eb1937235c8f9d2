//! PCK certificates: which one is right, and whom to ask.

mod registration;

use std::sync::Arc;
use std::time::Instant;

use collateral::{
    CollateralId, Document, Fetcher, PckCertificateRequest, PckTcb, Source, SourceError,
};

use super::allowance::Allowance;
use super::as_source_error;
use super::list_source::ListSource;
use super::pck_lists::PckLists;
use crate::asker::Asker;
use crate::flights::Flights;
use crate::mode::Mode;
use crate::platform_store::{Authority, Certificates, Platform, PlatformKey, PlatformStore};

/// What is asked for once at a time. The encrypted PPID is part of it, so that nobody is refused because somebody
/// else has asked with a wrong one.
type FlightKey = (PlatformKey, PckTcb, Option<Box<[u8; 384]>>);

/// Knows platforms and their certificates.
pub(crate) struct PckKeeper {
    mode: Mode,
    sources: AllPckSources,
    lists: Arc<PckLists>,
    store: Arc<PlatformStore>,
    allowance: Arc<Allowance>,
    flights: Flights<FlightKey, SourceError>,
}

/// The sources, by the right by which they are asked.
pub(super) struct AllPckSources {
    pub(super) anyone: PckSources,
    pub(super) refresh: PckSources,
    pub(super) user: PckSources,
}

/// The sources of PCK certificates.
pub(super) struct PckSources {
    pub(super) fetcher: Fetcher,
    /// Those that are asked for lists, and keep them.
    pub(super) with_lists: Vec<ListSource>,
}

impl PckKeeper {
    pub(super) fn new(
        mode: Mode,
        sources: AllPckSources,
        lists: Arc<PckLists>,
        store: Arc<PlatformStore>,
        allowance: Arc<Allowance>,
    ) -> Self {
        Self { mode, sources, lists, store, allowance, flights: Flights::default() }
    }

    pub(crate) fn lists(&self) -> &PckLists {
        &self.lists
    }

    /// The certificate that is right for a platform at its TCB, for whoever asks.
    pub(crate) fn certificate(
        &self,
        question: &PckCertificateRequest,
        asker: Asker,
        deadline: Instant,
    ) -> Result<Document, SourceError> {
        let (key, tcb) = parts(question);
        let known = || Ok(self.store.chosen(&key, &tcb)?);
        if let Some(document) = known()? {
            return Ok(document);
        }
        let find = || self.find(question, asker, deadline);
        let flight = (key, tcb, question.encrypted_ppid.clone());
        let found = self.flights.fly(flight, deadline, known, find);
        found.unwrap_or(Err(SourceError::Timeout))
    }

    /// Finds the certificate of a platform that has not asked at this TCB before.
    fn find(
        &self,
        question: &PckCertificateRequest,
        asker: Asker,
        deadline: Instant,
    ) -> Result<Document, SourceError> {
        let (key, tcb) = parts(question);
        let Some(platform) = self.store.platform(&key)? else {
            return match self.mode {
                Mode::Lazy => {
                    self.allowance.stranger(asker)?;
                    self.ask(question, Authority::Anyone, deadline)
                }
                Mode::Req | Mode::Offline => Err(SourceError::UnknownPlatform),
            };
        };
        if self.mode != Mode::Lazy {
            return self.select(&key, &platform, &tcb, true);
        }
        // There may be a better certificate for this TCB than those that are kept.
        if let Err(wait) = self.allowance.platform(key, asker) {
            return self.select(&key, &platform, &tcb, false).map_err(|_| wait);
        }
        let question = PckCertificateRequest {
            encrypted_ppid: question.encrypted_ppid.clone().or_else(|| platform.ppid()),
            ..question.clone()
        };
        self.ask(&question, Authority::Anyone, deadline).or_else(|error| {
            self.select(&key, &platform, &tcb, !error.is_source_failure()).map_err(|_| error)
        })
    }

    /// The best one of the certificates that are kept.
    fn select(
        &self,
        key: &PlatformKey,
        platform: &Platform,
        tcb: &PckTcb,
        remember: bool,
    ) -> Result<Document, SourceError> {
        let selected = self.lists.select(key, platform.fmspc, tcb)?;
        let selected = selected.ok_or(SourceError::NoCertificate)?;
        if remember {
            self.store.choose(key, tcb, &selected)?;
        }
        self.store.certificate(key, &selected)?.ok_or(SourceError::NoCertificate)
    }

    /// Asks the sources, and keeps as much of what they have as the authority allows.
    fn ask(
        &self,
        question: &PckCertificateRequest,
        authority: Authority,
        deadline: Instant,
    ) -> Result<Document, SourceError> {
        let (item, sources) =
            (CollateralId::PckCertificate(question.clone()), self.sources.of(authority));
        let record = sources.fetcher.fetch(&item, deadline).map_err(|error| {
            match as_source_error(&error) {
                // There was nobody to ask, or nothing to ask with.
                SourceError::NotFound | SourceError::Status(400)
                    if question.encrypted_ppid.is_none() =>
                {
                    SourceError::UnknownPlatform
                }
                other => other,
            }
        })?;
        let is_kept = sources.with_lists.iter().any(|source| source.name() == record.source);
        if !is_kept && let Err(error) = self.keep(question, &record.document, authority) {
            if authority != Authority::Anyone {
                return Err(error);
            }
            tracing::error!(%error, "a PCK certificate is served, but not kept");
        }
        Ok(record.document)
    }

    /// Keeps a certificate that a source has chosen, if the authority allows it.
    fn keep(
        &self,
        question: &PckCertificateRequest,
        document: &Document,
        authority: Authority,
    ) -> Result<(), SourceError> {
        let (certificates, contents) = Certificates::one(document)
            .map_err(|error| SourceError::Malformed(error.to_string()))?;
        let (key, tcb) = parts(question);
        let platform = Platform::of(&contents, question);
        self.store.add(&key, &platform, &certificates, &tcb, authority)?;
        Ok(())
    }
}

impl AllPckSources {
    /// An administrator brings certificates rather than to have them fetched.
    fn of(&self, authority: Authority) -> &PckSources {
        match authority {
            Authority::Anyone => &self.anyone,
            Authority::Refresh => &self.refresh,
            Authority::User | Authority::Administrator => &self.user,
        }
    }
}

impl Platform {
    fn ppid(&self) -> Option<Box<[u8; 384]>> {
        ppid(&self.encrypted_ppid)
    }
}

fn ppid(bytes: &[u8]) -> Option<Box<[u8; 384]>> {
    bytes.try_into().ok().map(Box::new)
}

fn parts(question: &PckCertificateRequest) -> (PlatformKey, PckTcb) {
    let tcb = PckTcb { cpu_svn: question.cpu_svn, pce_svn: question.pce_svn };
    (PlatformKey::from(question), tcb)
}
