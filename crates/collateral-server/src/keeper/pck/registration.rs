//! Platforms that register, and those that have registered.

use std::time::Instant;

use collateral::{PckCertificateRequest, PckContents, SourceError};

use super::{PckKeeper, ppid};
use crate::mode::Mode;
use crate::platform_store::{Authority, ListedPlatform, Platform, Queue, Registration, StoreError};
use crate::refusal::Refusal;

impl PckKeeper {
    /// Registers a platform: its certificates are there afterwards, or it is in the queue.
    ///
    /// # Errors
    /// [`Refusal::Conflict`] when another platform has registered with the QE id; an administrator can decide between
    /// them.
    pub(crate) fn register(
        &self,
        registration: &Registration,
        deadline: Instant,
    ) -> Result<(), Refusal> {
        self.flights.forget_failures();
        if self.is_registered(registration)? {
            return Ok(());
        }
        match self.mode {
            Mode::Lazy => self.bind(registration, deadline),
            Mode::Req => {
                self.store.register(Queue::New, registration)?;
                self.bind(registration, deadline)?;
                Ok(self.store.unregister(Queue::New, registration)?)
            }
            Mode::Offline => Ok(self.store.register(Queue::New, registration)?),
        }
    }

    fn bind(&self, registration: &Registration, deadline: Instant) -> Result<(), Refusal> {
        let ppid = self.fetch_registered(registration, Authority::User, deadline)?;
        match self.store.ppid(&registration.platform)? == Some(ppid) {
            true => Ok(()),
            false => Err(Refusal::Conflict),
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
            self.fetch_registered(&registration, Authority::Refresh, deadline())?;
        }
        Ok(())
    }

    /// True if a token holder has registered the platform or brought its certificates.
    fn is_registered(&self, registration: &Registration) -> Result<bool, StoreError> {
        let Some(platform) = self.store.platform(&registration.platform)? else {
            return Ok(false);
        };
        if !self.store.is_registered(&registration.platform)? {
            return Ok(false);
        }
        match &registration.tcb {
            Some(tcb) => Ok(self.store.chosen(&registration.platform, tcb)?.is_some()),
            None => Ok(platform.manifest == registration.manifest),
        }
    }

    /// Asks for the certificates of the platform, and gives the PPID that they name.
    fn fetch_registered(
        &self,
        registration: &Registration,
        authority: Authority,
        deadline: Instant,
    ) -> Result<[u8; 16], SourceError> {
        match registration.tcb {
            Some(tcb) if registration.manifest.is_empty() => {
                let question = PckCertificateRequest {
                    qe_id: registration.platform.qe_id,
                    encrypted_ppid: ppid(&registration.encrypted_ppid),
                    cpu_svn: tcb.cpu_svn,
                    pce_svn: tcb.pce_svn,
                    pce_id: registration.platform.pce_id,
                };
                let document = self.ask(&question, authority, deadline)?;
                let contents = PckContents::read(&document.body);
                Ok(contents.map_err(|error| SourceError::Malformed(error.to_string()))?.ppid)
            }
            _ => self.fetch_by_manifest(registration, authority, deadline),
        }
    }

    /// Only lists can be asked for with a manifest.
    fn fetch_by_manifest(
        &self,
        registration: &Registration,
        authority: Authority,
        deadline: Instant,
    ) -> Result<[u8; 16], SourceError> {
        let mut result = Err(SourceError::NotFound);
        for source in &self.sources.of(authority).with_lists {
            result = source.fetch_all(registration, deadline).map(|list| list.first.extension.ppid);
            if result.is_ok() {
                break;
            }
        }
        result
    }
}
