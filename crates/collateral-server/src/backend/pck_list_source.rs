//! Intel's PCS as a source of PCK certificates.

use std::sync::Arc;
use std::time::Instant;

use collateral::{
    CollateralId, Document, PckTcb, PcsSource, PlatformIdentity, Source, SourceError,
};

use super::error::BackendError;
use super::pck_lists::{CheckedList, PckLists};
use crate::metrics::Metrics;
use crate::platform_store::{Authority, PlatformKey, Registration};

/// Fetches all certificates of a platform from Intel's PCS, stores them, and chooses one.
///
/// Intel's PCS can choose, too; but then each TCB needs a request, and certificates for other TCBs
/// would be missing whenever the PCS cannot be reached.
#[derive(Clone)]
pub(super) struct PckListSource {
    pcs: Arc<PcsSource>,
    metrics: Metrics,
    lists: Arc<PckLists>,
    authority: Authority,
}

impl PckListSource {
    pub(super) fn new(
        pcs: PcsSource,
        metrics: Metrics,
        lists: Arc<PckLists>,
        authority: Authority,
    ) -> Self {
        Self { pcs: Arc::new(pcs), metrics, lists, authority }
    }

    /// Fetches the certificates of the platform, and stores as much as the authority allows.
    pub(super) fn fetch_all(
        &self,
        platform: &Registration,
        deadline: Instant,
    ) -> Result<CheckedList, BackendError> {
        let pce_id = platform.platform.pce_id;
        let ppid = <&[u8; 384]>::try_from(&platform.encrypted_ppid[..]).ok();
        let ppid = ppid.filter(|ppid| ppid.iter().any(|byte| *byte != 0));
        let identity = match ppid {
            _ if !platform.manifest.is_empty() => PlatformIdentity::Manifest(&platform.manifest),
            Some(ppid) => PlatformIdentity::EncryptedPpid(ppid),
            None => {
                return Err(SourceError::NotOffered(
                    "the encrypted PPID of the platform is not known",
                )
                .into());
            }
        };
        let request = || self.pcs.pck_certificates(identity, pce_id, deadline);
        let list = self.metrics.count_upstream(self.pcs.name(), request)?;
        self.lists.check_and_store(platform, &list, self.authority)
    }
}

impl Source for PckListSource {
    fn name(&self) -> &str {
        self.pcs.name()
    }

    fn fetch(&self, item: &CollateralId, deadline: Instant) -> Result<Document, SourceError> {
        let CollateralId::PckCertificate(request) = item else {
            return Err(SourceError::NotOffered("it is asked for PCK certificates alone"));
        };
        let tcb = PckTcb { cpu_svn: request.cpu_svn, pce_svn: request.pce_svn };
        let encrypted_ppid = request.encrypted_ppid.as_deref();
        let platform = Registration {
            platform: PlatformKey::from(request),
            tcb: Some(tcb),
            encrypted_ppid: encrypted_ppid.map(|ppid| ppid.to_vec()).unwrap_or_default(),
            manifest: Vec::new(),
        };
        let list = self.fetch_all(&platform, deadline).map_err(|error| match error {
            BackendError::Source(error) => error,
            other => SourceError::Unreachable(other.to_string()),
        })?;
        self.lists.choose(&list, &tcb)?.ok_or(SourceError::NoCertificate)
    }
}
