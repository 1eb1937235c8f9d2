//! The attributes of a TD that no policy can accept. dcap-qvl refuses the same.

use sgx::{QuoteBody, TdAttributes};

use crate::VerdictCode;
use crate::failure::Problem;

/// Refuses a TD with an attribute that no policy can accept.
pub(super) fn check(body: &QuoteBody) -> Result<(), Problem> {
    let Some(td) = body.td() else { return Ok(()) };
    let attributes = td.td_attributes;
    let has = |flag| attributes.0.get() & flag != 0;
    let bound = body.td_15().is_some_and(|td| td.mr_service_td != sgx::Measurement::default());
    let reason = if has(TdAttributes::MIGRATABLE) {
        "the TD can be migrated to another platform (MIGRATABLE)"
    } else if !has(TdAttributes::SEPT_VE_DISABLE) {
        "the host can raise #VE in the TD (SEPT_VE_DISABLE is not set)"
    } else if bound || has(TdAttributes::SERVTD_EXT) {
        "a service TD is bound to the TD (MRSERVICETD, SERVTD_EXT)"
    } else if has(TdAttributes::RESERVED) {
        "reserved bits are set"
    } else {
        return Ok(());
    };
    Err(Problem::new(VerdictCode::TdAttributes, format!("TDATTRIBUTES {attributes}: {reason}")))
}
