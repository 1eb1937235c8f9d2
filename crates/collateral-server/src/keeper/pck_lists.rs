//! All PCK certificates of a platform: checked, kept, and one of them chosen.

use std::sync::Arc;

use collateral::{Cache, EvaluationSet, Item, PckList, PckTcb, SourceError, select_pck};
use verify::{PckCertificate, Tee, check_pck_certificate, check_tcb_info};

use crate::mode::Mode;
use crate::platform_store::{
    Certificates, Platform, PlatformKey, PlatformStore, Queue, Registration, der,
};

/// Keeps lists of certificates, and chooses.
pub(crate) struct PckLists {
    mode: Mode,
    cache: Arc<Cache>,
    store: Arc<PlatformStore>,
}

impl PckLists {
    pub(super) fn new(mode: Mode, cache: Arc<Cache>, store: Arc<PlatformStore>) -> Self {
        Self { mode, cache, store }
    }

    pub(super) fn store(&self) -> &PlatformStore {
        &self.store
    }

    /// Keeps the certificates of a platform in place of those that it had, if each of them holds.
    ///
    /// # Errors
    /// [`SourceError::Malformed`] when one does not, or it is no list of one platform.
    pub(super) fn keep(&self, platform: &Registration, list: &PckList) -> Result<(), SourceError> {
        self.queue_not_available(platform, list)?;
        let (certificates, first) = self.check(list)?;
        if first.pce_id != platform.platform.pce_id {
            return Err(SourceError::Malformed(
                "its certificates are of another PCE id".to_owned(),
            ));
        }
        self.replace(platform, &first, &certificates, platform.tcb.as_slice())
    }

    /// The certificates, and what the first one says, if all of them hold and are of one platform.
    pub(crate) fn check(
        &self,
        list: &PckList,
    ) -> Result<(Certificates, PckCertificate), SourceError> {
        let (roots, now) = (self.cache.fetcher().roots(), self.cache.fetcher().now());
        let (mut certificates, mut first) = (Vec::new(), None);
        for pem in &list.certificates {
            let certificate = check_pck_certificate(pem.as_bytes(), &list.issuer_chain, roots, now)
                .map_err(|error| SourceError::Malformed(error.to_string()))?;
            let tcb = PckTcb { cpu_svn: certificate.cpu_svn, pce_svn: certificate.pce_svn };
            certificates.push((tcb, der(pem.as_bytes())));
            let first = first.get_or_insert_with(|| certificate.clone());
            let platform = |of: &PckCertificate| (of.ppid, of.pce_id, of.fmspc, of.ca);
            if platform(first) != platform(&certificate) {
                let reason = "its certificates are of several platforms";
                return Err(SourceError::Malformed(reason.to_owned()));
            }
        }
        let certificates = Certificates { issuer_chain: list.issuer_chain.clone(), certificates };
        Ok((certificates, first.ok_or(SourceError::NotFound)?))
    }

    /// Keeps certificates that were checked, and chooses for these TCBs and those that are known.
    pub(crate) fn replace(
        &self,
        registration: &Registration,
        certificate: &PckCertificate,
        certificates: &Certificates,
        tcbs: &[PckTcb],
    ) -> Result<(), SourceError> {
        let levels = self.levels(certificate.fmspc)?;
        let offered = certificates.offered();
        let platform = Platform {
            fmspc: certificate.fmspc,
            ca: certificate.ca,
            encrypted_ppid: registration.encrypted_ppid.clone(),
            manifest: registration.manifest.clone(),
        };
        let choose = |tcb: &PckTcb| select_pck(tcb, &offered, &levels);
        Ok(self.store.replace(&registration.platform, &platform, certificates, tcbs, choose)?)
    }

    /// The TCB of the kept certificate that is right for the platform at this TCB.
    pub(super) fn select(
        &self,
        key: &PlatformKey,
        fmspc: [u8; 6],
        tcb: &PckTcb,
    ) -> Result<Option<PckTcb>, SourceError> {
        Ok(select_pck(tcb, &self.store.offered(key)?, &self.levels(fmspc)?))
    }

    /// The TCB levels of a kind of platform, of the newest evaluation that is to be had.
    fn levels(&self, fmspc: [u8; 6]) -> Result<Vec<PckTcb>, SourceError> {
        let of_set = |set| {
            let item = Item::TcbInfo { tee: Tee::Sgx, fmspc, set };
            if self.mode.asks() { self.cache.get(&item).ok() } else { self.cache.peek(&item) }
        };
        let record = of_set(EvaluationSet::Early).or_else(|| of_set(EvaluationSet::Standard));
        let record = record.ok_or_else(|| {
            let fmspc = hex::encode(fmspc);
            SourceError::Unreachable(format!(
                "there is no TCB info of the FMSPC {fmspc} to choose by"
            ))
        })?;
        let (document, roots) = (&record.document, self.cache.fetcher().roots());
        // It was checked when it was kept; that it has expired meanwhile does not change the order of levels.
        let info = check_tcb_info(&document.body, &document.issuer_chain, roots, record.fetched)
            .map_err(|error| SourceError::Malformed(error.to_string()))?;
        Ok(info.tcb_levels.iter().map(PckTcb::from).collect())
    }

    /// An administrator may see which certificates Intel has not made yet.
    fn queue_not_available(
        &self,
        platform: &Registration,
        list: &PckList,
    ) -> Result<(), SourceError> {
        if self.mode == Mode::Req {
            for tcb in &list.not_available {
                let registration = Registration { tcb: Some(*tcb), ..platform.clone() };
                self.store.register(Queue::NotAvailable, &registration)?;
            }
        }
        Ok(())
    }
}
