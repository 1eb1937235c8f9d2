//! Collateral that is asked for by its TCB evaluation data number.

use collateral::{CollateralId, Document, TcbUpdate, check};

use super::Keeper;
use crate::mode::Mode;

impl Keeper {
    /// The standard or early document, if the item asks for the number that it has.
    ///
    /// Neither an administrator nor a PCCS as a source brings documents by their number.
    pub(super) fn kept_by_number(&self, item: &CollateralId) -> Option<Document> {
        [TcbUpdate::Standard, TcbUpdate::Early].into_iter().find_map(|set| {
            let record = self.cache.peek(&of_set(item, set)?)?;
            if self.mode == Mode::Lazy && self.cache.has_expired(&record) {
                return None;
            }
            let roots = self.cache.fetcher().roots();
            let has_number = check(item, &record.document, roots, record.fetched).is_ok();
            has_number.then(|| record.document.clone())
        })
    }
}

/// The item of this set, if the one that is asked for is named by number.
fn of_set(item: &CollateralId, set: TcbUpdate) -> Option<CollateralId> {
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
