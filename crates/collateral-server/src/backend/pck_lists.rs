//! Lists of all PCK certificates of a platform: their check, their storage, and the choice of one.

use std::sync::Arc;

use collateral::{
    Cache, CollateralId, Document, PckList, PckTcb, SourceError, TcbUpdate, select_pck,
};
use verify::{PckCertificate, SgxExtension, Tee, check_pck_certificate, check_tcb_info};

use super::error::BackendError;
use crate::mode::Mode;
use crate::platform_store::{
    Authority, PckCertificates, PlatformKey, PlatformStore, Registration, StoreError,
    StoredPlatform, der,
};

/// Valid PCK certificates of one platform.
pub(crate) struct CheckedList {
    pub(crate) certificates: PckCertificates,
    /// The contents of the first certificate.
    pub(crate) first: PckCertificate,
}

/// Checks and stores lists of certificates, and chooses from them.
pub(crate) struct PckLists {
    mode: Mode,
    cache: Arc<Cache>,
    store: Arc<PlatformStore>,
}

impl PckLists {
    pub(super) fn new(mode: Mode, cache: Arc<Cache>, store: Arc<PlatformStore>) -> Self {
        Self { mode, cache, store }
    }

    /// Checks a list, and stores as much of it as the authority allows.
    ///
    /// # Errors
    /// [`SourceError::Malformed`] for an invalid certificate, or for several platforms.
    pub(super) fn check_and_store(
        &self,
        platform: &Registration,
        list: &PckList,
        authority: Authority,
    ) -> Result<CheckedList, BackendError> {
        let checked = self.check(list)?;
        if checked.first.extension.pce_id != platform.platform.pce_id {
            return Err(SourceError::NotFound.into());
        }
        self.queue_not_available(platform, list)?;
        match self.replace(platform, &checked, platform.tcb.as_slice(), authority) {
            // The certificates are served all the same.
            Err(error) if authority == Authority::Anyone => {
                tracing::error!(%error, "cannot store PCK certificates, which are served");
            }
            kept => drop(kept?),
        }
        Ok(checked)
    }

    /// The best certificate of the list for this TCB.
    pub(super) fn choose(
        &self,
        list: &CheckedList,
        tcb: &PckTcb,
    ) -> Result<Option<Document>, SourceError> {
        let levels = self.levels(list.first.extension.fmspc)?;
        let chosen = select_pck(tcb, &list.certificates.offered(), &levels);
        Ok(chosen.and_then(|chosen| list.certificates.document(&chosen)))
    }

    /// Checks that all certificates are valid and of one platform.
    pub(crate) fn check(&self, list: &PckList) -> Result<CheckedList, SourceError> {
        let (roots, now) = (self.cache.fetcher().roots(), self.cache.fetcher().now());
        let (mut certificates, mut first) = (Vec::new(), None);
        for pem in &list.certificates {
            let certificate = check_pck_certificate(pem.as_bytes(), &list.issuer_chain, roots, now)
                .map_err(|error| SourceError::Malformed(error.to_string()))?;
            let SgxExtension { cpu_svn, pce_svn, .. } = certificate.extension;
            let tcb = PckTcb { cpu_svn, pce_svn };
            certificates.push((tcb, der(pem.as_bytes())));
            let first = first.get_or_insert_with(|| certificate.clone());
            let platform = |PckCertificate { extension, ca, .. }: &PckCertificate| {
                (extension.ppid, extension.pce_id, extension.fmspc, *ca)
            };
            if platform(first) != platform(&certificate) {
                let reason = "its certificates are of several platforms";
                return Err(SourceError::Malformed(reason.to_owned()));
            }
        }
        let certificates =
            PckCertificates { issuer_chain: list.issuer_chain.clone(), certificates };
        Ok(CheckedList { certificates, first: first.ok_or(SourceError::NotFound)? })
    }

    /// Stores as much of a checked list as the authority allows, and chooses for these TCBs and
    /// the known ones. Returns `false` if nothing was allowed.
    pub(crate) fn replace(
        &self,
        registration: &Registration,
        list: &CheckedList,
        tcbs: &[PckTcb],
        authority: Authority,
    ) -> Result<bool, BackendError> {
        let CheckedList { certificates, first } = list;
        let levels = self.levels(first.extension.fmspc)?;
        let offered = certificates.offered();
        let platform = StoredPlatform {
            fmspc: first.extension.fmspc,
            ca: first.ca,
            encrypted_ppid: registration.encrypted_ppid.clone(),
            manifest: registration.manifest.clone(),
        };
        let choose = |tcb: &PckTcb| select_pck(tcb, &offered, &levels);
        let key = &registration.platform;
        Ok(self.store.replace(key, &platform, certificates, tcbs, choose, authority)?)
    }

    /// The TCB of the best stored certificate for this TCB.
    pub(super) fn select(
        &self,
        key: &PlatformKey,
        fmspc: [u8; 6],
        tcb: &PckTcb,
    ) -> Result<Option<PckTcb>, BackendError> {
        Ok(select_pck(tcb, &self.store.offered(key)?, &self.levels(fmspc)?))
    }

    /// The SGX TCB levels of an FMSPC, from the newest TCB info that is available.
    ///
    /// # Errors
    /// [`SourceError::NotFound`] when there is no TCB info and the mode allows no fetch.
    pub(crate) fn levels(&self, fmspc: [u8; 6]) -> Result<Vec<PckTcb>, SourceError> {
        let of_set = |set| {
            let item = CollateralId::TcbInfo { tee: Tee::Sgx, fmspc, set };
            if self.mode.may_fetch() { self.cache.get(&item).ok() } else { self.cache.peek(&item) }
        };
        let record = of_set(TcbUpdate::Early).or_else(|| of_set(TcbUpdate::Standard));
        let record = record.ok_or_else(|| match self.mode.may_fetch() {
            true => SourceError::Unreachable(format!(
                "no source has TCB info of the FMSPC {} to choose a PCK certificate by",
                hex::encode(fmspc)
            )),
            false => SourceError::NotFound,
        })?;
        let (document, roots) = (&record.document, self.cache.fetcher().roots());
        // An expired TCB info still has the right order of levels: check it as of its fetch.
        let info = check_tcb_info(&document.body, &document.issuer_chain, roots, record.fetched)
            .map_err(|error| SourceError::Malformed(error.to_string()))?;
        Ok(info.tcb_levels.iter().map(PckTcb::from).collect())
    }

    /// Queues TCBs for which Intel has no certificate yet, for the administrator's list.
    fn queue_not_available(
        &self,
        platform: &Registration,
        list: &PckList,
    ) -> Result<(), StoreError> {
        if self.mode == Mode::Req {
            self.store.set_not_available(platform, &list.not_available)?;
        }
        Ok(())
    }
}
