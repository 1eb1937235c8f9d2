//! How current the platforms are.

use std::collections::{BTreeMap, HashMap};
use std::io;

use collateral::{CollateralId, Record, TcbUpdate};
use verify::{TcbInfo, Tee, TrustedRoots};

use super::Keeper;
use crate::platform_store::{ListedPlatform, StoreError};

/// The status of a platform for which no TCB info is kept.
const UNKNOWN: &str = "unknown";
/// The status of a platform that is below every level that is published.
const BELOW_ALL_LEVELS: &str = "below_all_levels";

/// How many platforms have which TCB status, by its name in TCB info.
pub(crate) type TcbStatuses = BTreeMap<String, u64>;

/// The statuses cannot be found out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TcbStatusesError {
    #[error("the cache cannot be read: {0}")]
    Cache(#[from] io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Keeper {
    /// The TCB statuses of all platforms, by the standard TCB info that is kept of their kind.
    pub(crate) fn tcb_statuses(&self) -> Result<TcbStatuses, TcbStatusesError> {
        let infos = tcb_infos(&self.cache().records()?, self.cache().fetcher().roots());
        let mut statuses = TcbStatuses::new();
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

/// The status at the highest TCB that the platform is certified for.
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
