//! Registration of platforms, and the refresh of their certificates.

use std::time::Instant;

use collateral::{PckCertificateRequest, PckContents, SourceError};

use super::{PckBackend, encrypted_ppid};
use crate::backend::BackendError;
use crate::mode::Mode;
use crate::platform_store::{Authority, ListedPlatform, Queue, Registration, StoreError};

impl PckBackend {
    /// Registers a platform: afterwards its certificates are stored, or it is queued.
    ///
    /// # Errors
    /// [`BackendError::Conflict`] when another platform has registered with the QE id; only an
    /// administrator can replace it.
    pub(crate) fn register(
        &self,
        registration: &Registration,
        deadline: Instant,
    ) -> Result<(), BackendError> {
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

    /// Fetches the certificates, and checks that the QE id is bound to their PPID.
    fn bind(&self, registration: &Registration, deadline: Instant) -> Result<(), BackendError> {
        let ppid = self.fetch_registered(registration, Authority::User, deadline)?;
        match self.store.ppid(&registration.platform)? == Some(ppid) {
            true => Ok(()),
            false => Err(BackendError::Conflict),
        }
    }

    /// Refetches the certificates of a known platform.
    pub(crate) fn refresh(
        &self,
        listed: &ListedPlatform,
        deadline: impl Fn() -> Instant,
    ) -> Result<(), BackendError> {
        for registration in listed.registrations() {
            self.fetch_registered(&registration, Authority::Refresh, deadline())?;
        }
        Ok(())
    }

    /// Tells if a token holder has registered the platform or uploaded its certificates.
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

    /// Fetches the certificates of the platform, and returns the PPID in them.
    fn fetch_registered(
        &self,
        registration: &Registration,
        authority: Authority,
        deadline: Instant,
    ) -> Result<[u8; 16], BackendError> {
        match registration.tcb {
            Some(tcb) if registration.manifest.is_empty() => {
                let request = PckCertificateRequest {
                    qe_id: registration.platform.qe_id,
                    encrypted_ppid: encrypted_ppid(&registration.encrypted_ppid),
                    cpu_svn: tcb.cpu_svn,
                    pce_svn: tcb.pce_svn,
                    pce_id: registration.platform.pce_id,
                };
                let document = self.fetch(&request, authority, deadline)?;
                let contents = PckContents::read(&document.body);
                Ok(contents.map_err(|error| SourceError::Malformed(error.to_string()))?.ppid)
            }
            _ => self.fetch_by_manifest(registration, authority, deadline),
        }
    }

    /// Fetches with a platform manifest, which only sources of lists accept.
    fn fetch_by_manifest(
        &self,
        registration: &Registration,
        authority: Authority,
        deadline: Instant,
    ) -> Result<[u8; 16], BackendError> {
        let mut result = Err(SourceError::NotFound.into());
        for source in &self.sources.of(authority).with_lists {
            result = source.fetch_all(registration, deadline).map(|list| list.first.extension.ppid);
            if result.is_ok() {
                break;
            }
        }
        result
    }
}
