//! TCB statuses of the platforms.

use std::collections::{BTreeMap, HashMap};
use std::io;

use collateral::{CollateralId, Record, TcbUpdate};
use verify::{TcbInfo, Tee, TrustedRoots};

use super::Backend;
use crate::platform_store::{ListedPlatform, StoreError};

/// Status of a platform without cached TCB info.
const UNKNOWN: &str = "unknown";
/// Status of a platform below every published level.
const BELOW_ALL_LEVELS: &str = "below_all_levels";

/// The statuses cannot be determined.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TcbStatusesError {
    #[error("cannot read the cache: {0}")]
    Cache(#[from] io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Backend {
    /// The number of platforms by TCB status, judged by the cached standard TCB info.
    pub(crate) fn tcb_statuses(&self) -> Result<BTreeMap<String, u64>, TcbStatusesError> {
        let infos = tcb_infos(&self.cache().records()?, self.cache().fetcher().roots());
        let mut statuses = BTreeMap::<String, u64>::new();
        self.store().visit(|platform| {
            let count = statuses.entry(status(&platform, &infos)).or_default();
            *count = count.saturating_add(1);
            true
        })?;
        Ok(statuses)
    }
}

fn tcb_infos(records: &[Record], roots: &TrustedRoots) -> HashMap<[u8; 6], TcbInfo> {
    let info = |record: &Record| {
        let CollateralId::TcbInfo { tee: Tee::Sgx, fmspc, set: TcbUpdate::Standard } = record.item
        else {
            return None;
        };
        let (body, chain) = (&record.document.body, &record.document.issuer_chain);
        Some((fmspc, verify::check_tcb_info(body, chain, roots, record.fetched).ok()?))
    };
    records.iter().filter_map(info).collect()
}

/// The status at the highest TCB for which the platform has a certificate.
fn status(platform: &ListedPlatform, infos: &HashMap<[u8; 6], TcbInfo>) -> String {
    let highest = platform
        .certified
        .iter()
        .copied()
        .reduce(|highest, next| if next > highest { next } else { highest });
    let (Some(tcb), Some(info)) = (highest, infos.get(&platform.platform.fmspc)) else {
        return UNKNOWN.to_owned();
    };
    match info.assess(&tcb.cpu_svn.0, tcb.pce_svn).reached {
        Some(level) => level.status.to_string(),
        None => BELOW_ALL_LEVELS.to_owned(),
    }
}
