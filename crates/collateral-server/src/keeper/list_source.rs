//! Intel's PCS, as a source of PCK certificates.

use std::sync::Arc;
use std::time::Instant;

use collateral::{
    CollateralId, Document, PckTcb, PcsSource, PlatformIdentity, Source, SourceError,
};

use super::pck_lists::{CheckedList, PckLists};
use crate::metrics::Metrics;
use crate::platform_store::{Authority, PlatformKey, Registration};

/// Asks Intel's PCS for all certificates of a platform, keeps them, and answers with the one that is right.
///
/// Intel's PCS can choose, too. But then it would have to be asked again for each TCB, and what it has for other TCBs
/// would not be there when it cannot be asked.
#[derive(Clone)]
pub(super) struct ListSource {
    pcs: Arc<PcsSource>,
    metrics: Metrics,
    lists: Arc<PckLists>,
    authority: Authority,
}

impl ListSource {
    pub(super) fn new(
        pcs: PcsSource,
        metrics: Metrics,
        lists: Arc<PckLists>,
        authority: Authority,
    ) -> Self {
        Self { pcs: Arc::new(pcs), metrics, lists, authority }
    }

    /// Asks for the certificates of the platform, and keeps as much of them as the authority allows.
    pub(super) fn fetch_all(
        &self,
        platform: &Registration,
        deadline: Instant,
    ) -> Result<CheckedList, SourceError> {
        let pce_id = platform.platform.pce_id;
        let ppid = <&[u8; 384]>::try_from(&platform.encrypted_ppid[..]).ok();
        let ppid = ppid.filter(|ppid| ppid.iter().any(|byte| *byte != 0));
        let identity = match ppid {
            _ if !platform.manifest.is_empty() => PlatformIdentity::Manifest(&platform.manifest),
            Some(ppid) => PlatformIdentity::EncryptedPpid(ppid),
            None => {
                return Err(SourceError::NotOffered(
                    "the encrypted PPID of the platform is not known",
                ));
            }
        };
        let list = self
            .metrics
            .ask(self.pcs.name(), || self.pcs.pck_certificates(identity, pce_id, deadline))?;
        self.lists.keep(platform, &list, self.authority)
    }
}

impl Source for ListSource {
    fn name(&self) -> &str {
        self.pcs.name()
    }

    fn fetch(&self, item: &CollateralId, deadline: Instant) -> Result<Document, SourceError> {
        let CollateralId::PckCertificate(question) = item else {
            return Err(SourceError::NotOffered("it is asked for PCK certificates alone"));
        };
        let tcb = PckTcb { cpu_svn: question.cpu_svn, pce_svn: question.pce_svn };
        let key = PlatformKey::from(question);
        let encrypted_ppid = question.encrypted_ppid.as_deref();
        let platform = Registration {
            platform: key,
            tcb: Some(tcb),
            encrypted_ppid: encrypted_ppid.map(|ppid| ppid.to_vec()).unwrap_or_default(),
            manifest: Vec::new(),
        };
        let list = self.fetch_all(&platform, deadline)?;
        self.lists.choose(&list, &tcb)?.ok_or(SourceError::NoCertificate)
    }
}
