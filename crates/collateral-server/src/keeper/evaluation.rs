//! Collateral that is asked for by its TCB evaluation data number.

use collateral::{Document, EvaluationSet, Item, check};

use super::Keeper;
use crate::mode::Mode;

impl Keeper {
    /// The standard or early document, if the item asks for the number that it has.
    ///
    /// Neither an administrator nor a PCCS as a source brings documents by their number.
    pub(super) fn kept_by_number(&self, item: &Item) -> Option<Document> {
        [EvaluationSet::Standard, EvaluationSet::Early].into_iter().find_map(|set| {
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
fn of_set(item: &Item, set: EvaluationSet) -> Option<Item> {
    match item {
        Item::TcbInfo { tee, fmspc, set: EvaluationSet::Number(_) } => {
            Some(Item::TcbInfo { tee: *tee, fmspc: *fmspc, set })
        }
        Item::EnclaveIdentity { enclave, set: EvaluationSet::Number(_) } => {
            Some(Item::EnclaveIdentity { enclave: *enclave, set })
        }
        _ => None,
    }
}
