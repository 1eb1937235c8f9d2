//! PCK certificates: which one is right, and whom to ask.

use std::sync::Arc;
use std::time::Instant;

use collateral::{Document, Fetcher, Item, PckQuestion, PckTcb, Source, SourceError};

use super::as_source_error;
use super::list_source::ListSource;
use super::pck_lists::PckLists;
use crate::flights::Flights;
use crate::mode::Mode;
use crate::platform_store::{
    Certificates, ListedPlatform, Platform, PlatformKey, PlatformStore, Queue, Registration,
};

/// What is asked for once at a time. The encrypted PPID is part of it, so that nobody is refused because somebody
/// else has asked with a wrong one.
type FlightKey = (PlatformKey, PckTcb, Option<Box<[u8; 384]>>);

/// Knows platforms and their certificates.
pub(crate) struct PckKeeper {
    mode: Mode,
    fetcher: Fetcher,
    /// Those of the sources that are asked for lists.
    list_sources: Vec<ListSource>,
    lists: Arc<PckLists>,
    store: Arc<PlatformStore>,
    flights: Flights<FlightKey, SourceError>,
}

impl PckKeeper {
    pub(super) fn new(
        mode: Mode,
        fetcher: Fetcher,
        list_sources: Vec<ListSource>,
        lists: Arc<PckLists>,
        store: Arc<PlatformStore>,
    ) -> Self {
        Self { mode, fetcher, list_sources, lists, store, flights: Flights::default() }
    }

    pub(crate) fn lists(&self) -> &PckLists {
        &self.lists
    }

    /// The certificate that is right for a platform at its TCB.
    pub(crate) fn certificate(
        &self,
        question: &PckQuestion,
        deadline: Instant,
    ) -> Result<Document, SourceError> {
        let (key, tcb) = parts(question);
        let known = || Ok(self.store.chosen(&key, &tcb)?);
        if let Some(document) = known()? {
            return Ok(document);
        }
        let find = || self.find(question, deadline);
        let flight = (key, tcb, question.encrypted_ppid.clone());
        let found = self.flights.fly(flight, deadline, known, find);
        found.unwrap_or(Err(SourceError::Timeout))
    }

    /// Finds the certificate of a platform that has not asked at this TCB before.
    fn find(&self, question: &PckQuestion, deadline: Instant) -> Result<Document, SourceError> {
        let (key, tcb) = parts(question);
        let Some(platform) = self.store.platform(&key)? else {
            return match self.mode {
                Mode::Lazy => self.ask(question, deadline),
                Mode::Req | Mode::Offline => Err(SourceError::UnknownPlatform),
            };
        };
        if self.mode != Mode::Lazy || self.store.is_full(&key)? {
            return self.select(&key, &platform, &tcb, true);
        }
        // There may be a better certificate for this TCB than those that are kept.
        let question = PckQuestion {
            encrypted_ppid: question.encrypted_ppid.clone().or_else(|| platform.ppid()),
            ..question.clone()
        };
        self.ask(&question, deadline).or_else(|error| {
            self.select(&key, &platform, &tcb, !error.is_trouble()).map_err(|_| error)
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

    /// Asks the sources, and keeps what they have.
    fn ask(&self, question: &PckQuestion, deadline: Instant) -> Result<Document, SourceError> {
        let item = Item::PckCertificate(question.clone());
        let record = self.fetcher.fetch(&item, deadline).map_err(|error| {
            match as_source_error(&error) {
                // There was nobody to ask, or nothing to ask with.
                SourceError::NotFound if question.encrypted_ppid.is_none() => {
                    SourceError::UnknownPlatform
                }
                other => other,
            }
        })?;
        let is_kept = self.list_sources.iter().any(|source| source.name() == record.source);
        if !is_kept && let Err(error) = self.keep(question, &record.document) {
            tracing::error!(%error, "a PCK certificate is served, but not kept");
        }
        Ok(record.document)
    }

    /// Keeps a certificate that a source has chosen.
    fn keep(&self, question: &PckQuestion, document: &Document) -> Result<(), SourceError> {
        let (certificates, contents) = Certificates::one(document)
            .map_err(|error| SourceError::Malformed(error.to_string()))?;
        let (key, tcb) = parts(question);
        let platform = Platform::of(&contents, question);
        Ok(self.store.add(&key, &platform, &certificates, &tcb)?)
    }

    /// Registers a platform: its certificates are there afterwards, or it is in the queue.
    pub(crate) fn register(
        &self,
        registration: &Registration,
        deadline: Instant,
    ) -> Result<(), SourceError> {
        self.flights.forget_failures();
        if self.is_known(registration)? {
            return Ok(());
        }
        match self.mode {
            Mode::Lazy => self.fetch_registered(registration, deadline),
            Mode::Req => {
                self.store.register(Queue::New, registration)?;
                self.fetch_registered(registration, deadline)?;
                Ok(self.store.unregister(Queue::New, registration)?)
            }
            Mode::Offline => Ok(self.store.register(Queue::New, registration)?),
        }
    }

    /// Asks again for the certificates of a platform that is known.
    pub(crate) fn refresh(
        &self,
        listed: &ListedPlatform,
        deadline: impl Fn() -> Instant,
    ) -> Result<(), SourceError> {
        let Platform { encrypted_ppid, manifest, .. } = &listed.platform;
        for tcb in &listed.tcbs {
            let registration = Registration {
                platform: listed.key,
                tcb: Some(*tcb),
                encrypted_ppid: encrypted_ppid.clone(),
                manifest: manifest.clone(),
            };
            self.fetch_registered(&registration, deadline())?;
        }
        Ok(())
    }

    fn is_known(&self, registration: &Registration) -> Result<bool, SourceError> {
        let Some(platform) = self.store.platform(&registration.platform)? else {
            return Ok(false);
        };
        match &registration.tcb {
            Some(tcb) => Ok(self.store.chosen(&registration.platform, tcb)?.is_some()),
            None => Ok(platform.manifest == registration.manifest),
        }
    }

    fn fetch_registered(
        &self,
        registration: &Registration,
        deadline: Instant,
    ) -> Result<(), SourceError> {
        match registration.tcb {
            Some(tcb) if registration.manifest.is_empty() => {
                let question = PckQuestion {
                    qe_id: registration.platform.qe_id,
                    encrypted_ppid: ppid(&registration.encrypted_ppid),
                    cpu_svn: tcb.cpu_svn,
                    pce_svn: tcb.pce_svn,
                    pce_id: registration.platform.pce_id,
                };
                self.ask(&question, deadline).map(drop)
            }
            _ => self.fetch_by_manifest(registration, deadline),
        }
    }

    /// Only lists can be asked for with a manifest.
    fn fetch_by_manifest(
        &self,
        registration: &Registration,
        deadline: Instant,
    ) -> Result<(), SourceError> {
        let mut result = Err(SourceError::NotFound);
        for source in &self.list_sources {
            result = source.fetch_all(registration, deadline);
            if result.is_ok() {
                break;
            }
        }
        result
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

fn parts(question: &PckQuestion) -> (PlatformKey, PckTcb) {
    let tcb = PckTcb { cpu_svn: question.cpu_svn, pce_svn: question.pce_svn };
    (PlatformKey::from(question), tcb)
}
