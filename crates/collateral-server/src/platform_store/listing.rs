//! Lists of platforms, read in pages.

use std::ops::Bound;

use collateral::PckTcb;
use redb::ReadableDatabase;

use super::tables::{CHOSEN, PLATFORMS, first_and_last, tcb_of};
use super::{PlatformKey, PlatformStore, Registration, StoreError, StoredPlatform};

/// Platforms read at a time.
const PAGE: usize = 256;

/// A platform, and its known TCBs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListedPlatform {
    pub(crate) key: PlatformKey,
    pub(crate) platform: StoredPlatform,
    pub(crate) tcbs: Vec<PckTcb>,
    /// The TCBs of the certificates chosen for these.
    pub(crate) certified: Vec<PckTcb>,
}

impl ListedPlatform {
    /// Tells if the platform has one of these FMSPCs. An empty list stands for all.
    pub(crate) fn is_of(&self, fmspcs: &[[u8; 6]]) -> bool {
        fmspcs.is_empty() || fmspcs.contains(&self.platform.fmspc)
    }

    /// One registration for each TCB.
    pub(crate) fn registrations(&self) -> impl Iterator<Item = Registration> {
        self.tcbs.iter().map(|tcb| Registration {
            platform: self.key,
            tcb: Some(*tcb),
            encrypted_ppid: self.platform.encrypted_ppid.clone(),
            manifest: self.platform.manifest.clone(),
        })
    }
}

impl PlatformStore {
    /// Calls `visit` with each platform until it returns `false`. Concurrent changes may be missed.
    pub(crate) fn visit(
        &self,
        mut visit: impl FnMut(ListedPlatform) -> bool,
    ) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let page = self.page(after)?;
            let Some(last) = page.last().map(|listed| listed.key) else { return Ok(()) };
            if !page.into_iter().all(&mut visit) {
                return Ok(());
            }
            after = Some(last);
        }
    }

    /// The next page of platforms.
    fn page(&self, after: Option<PlatformKey>) -> Result<Vec<ListedPlatform>, StoreError> {
        let after = after.map(PlatformKey::to_bytes);
        let start = after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        self.file.run(|database| {
            let read = database.begin_read()?;
            let chosen = read.open_table(CHOSEN)?;
            let platforms = read.open_table(PLATFORMS)?;
            let next = platforms.range::<&[u8; 18]>((start, Bound::Unbounded))?.take(PAGE);
            next.map(|entry| {
                let (key, row) = entry?;
                let key = PlatformKey::from_bytes(key.value());
                let [first, last] = first_and_last(&key);
                let tcbs = chosen.range::<&[u8; 36]>(&first..=&last)?;
                let tcbs = tcbs.map(|entry| {
                    let (tcb, certified) = entry?;
                    Ok((tcb_of(tcb.value()), PckTcb::from_bytes(certified.value())))
                });
                let (tcbs, certified) = tcbs.collect::<Result<_, redb::Error>>()?;
                Ok(ListedPlatform {
                    key,
                    platform: StoredPlatform::read(row.value()),
                    tcbs,
                    certified,
                })
            })
            .collect()
        })
    }
}
