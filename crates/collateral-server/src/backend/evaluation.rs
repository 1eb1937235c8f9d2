//! Collateral requested by its TCB evaluation data number.

use collateral::{CollateralId, Document, TcbUpdate, check};

use super::Backend;
use crate::mode::Mode;

impl Backend {
    /// The cached standard or early document, if it has the requested number.
    ///
    /// Neither administrators nor a PCCS as a source supply documents by number.
    pub(super) fn cached_by_number(&self, item: &CollateralId) -> Option<Document> {
        [TcbUpdate::Standard, TcbUpdate::Early].into_iter().find_map(|set| {
            let record = self.cache.peek(&in_set(item, set)?)?;
            if self.mode == Mode::Lazy && self.cache.has_expired(&record) {
                return None;
            }
            let roots = self.cache.fetcher().roots();
            let has_number = check(item, &record.document, roots, record.fetched).is_ok();
            has_number.then(|| record.document.clone())
        })
    }
}

/// The item in this set, if `item` is requested by number.
fn in_set(item: &CollateralId, set: TcbUpdate) -> Option<CollateralId> {
    match item {
        CollateralId::TcbInfo { tee, fmspc, set: TcbUpdate::Number(_) } => {
            Some(CollateralId::TcbInfo { tee: *tee, fmspc: *fmspc, set })
        }
        CollateralId::EnclaveIdentity { enclave, set: TcbUpdate::Number(_) } => {
            Some(CollateralId::EnclaveIdentity { enclave: *enclave, set })
        }
        _ => None,
    }
}
