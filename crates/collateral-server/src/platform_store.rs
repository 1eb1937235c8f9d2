//! Platforms and their PCK certificates, in one file: an embedded database.
//!
//! The database is redb: transactions survive kill -9 and power cuts, readers do not wait for
//! writers, one file, and no C. Issuer chains, which many platforms share, are stored once.
//!
//! | table | key | value |
//! |---|---|---|
//! | `platforms` | QE id, PCE id | FMSPC, CA, its issuer chain, encrypted PPID, platform manifest |
//! | `certificates` | QE id, PCE id, TCB | DER of the PCK certificate for this TCB |
//! | `chosen` | QE id, PCE id, TCB of the platform | the TCB of the best certificate for it |
//! | `issuer_chains` | number | PEM |
//! | `registrations` | queue, QE id, PCE id, TCB | encrypted PPID, platform manifest |
//! | `unregistered` | QE id, PCE id | platforms that no token holder has registered |
//! | `names` | QE id | the name of a platform, if it is not its QE id |
//! | `default_policies` | FMSPC | the default appraisal policy |

mod appraisal_policies;
mod binding;
mod error;
mod file;
mod listing;
mod platform;
mod registrations;
mod tables;

use std::path::Path;

use collateral::{Document, PckTcb};
use redb::{ReadableDatabase, ReadableTable, ReadableTableMetadata, WriteTransaction};

pub(crate) use self::binding::Authority;
use self::binding::bound_ppid;
pub use self::error::StoreError;
use self::file::DatabaseFile;
pub(crate) use self::listing::ListedPlatform;
pub(crate) use self::platform::{PckCertificates, PlatformKey, StoredPlatform, der};
pub(crate) use self::registrations::{Queue, Registration};
use self::tables::{
    CERTIFICATES, CHOSEN, Change, ISSUER_CHAINS, NAMES, PLATFORMS, UNREGISTERED, first_and_last,
    with_tcb,
};
use crate::platform_name::PlatformName;

/// Maximum TCBs of one platform. A platform has a new one with each update of its microcode;
/// requests for many more have invented ones.
const MAX_CHOSEN: usize = 16;

/// The database.
pub(crate) struct PlatformStore {
    file: DatabaseFile,
}

impl PlatformStore {
    /// Opens the database in this file, created if it does not exist. All pages are checked, except
    /// in a large file that was closed properly.
    ///
    /// # Errors
    /// [`StoreError`]; the file stays as it is.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self { file: DatabaseFile::open(path)? })
    }

    /// The stored data of the platform.
    pub(crate) fn platform(&self, key: &PlatformKey) -> Result<Option<StoredPlatform>, StoreError> {
        self.file.run(|database| {
            let platforms = database.begin_read()?.open_table(PLATFORMS)?;
            Ok(platforms.get(&key.to_bytes())?.map(|found| StoredPlatform::read(found.value())))
        })
    }

    /// The certificate that was chosen for the platform at this TCB.
    pub(crate) fn chosen(
        &self,
        key: &PlatformKey,
        tcb: &PckTcb,
    ) -> Result<Option<Document>, StoreError> {
        self.file.run(|database| {
            let read = database.begin_read()?;
            let chosen = read.open_table(CHOSEN)?.get(&with_tcb(key, tcb))?;
            let Some(chosen) = chosen.map(|found| PckTcb::from_bytes(found.value())) else {
                return Ok(None);
            };
            tables::certificate(&read, key, &chosen)
        })
    }

    /// The platform's certificate for this TCB.
    pub(crate) fn certificate(
        &self,
        key: &PlatformKey,
        tcb: &PckTcb,
    ) -> Result<Option<Document>, StoreError> {
        self.file.run(|database| tables::certificate(&database.begin_read()?, key, tcb))
    }

    /// The TCBs of the platform's certificates.
    pub(crate) fn offered(&self, key: &PlatformKey) -> Result<Vec<PckTcb>, StoreError> {
        self.file.run(|database| {
            let certificates = database.begin_read()?.open_table(CERTIFICATES)?;
            let [first, last] = first_and_last(key);
            let all = certificates.range::<&[u8; 36]>(&first..=&last)?;
            all.map(|entry| Ok(tables::tcb_of(entry?.0.value()))).collect()
        })
    }

    /// Stores the choice of a certificate for the platform at this TCB, up to [`MAX_CHOSEN`].
    pub(crate) fn choose(
        &self,
        key: &PlatformKey,
        tcb: &PckTcb,
        chosen: &PckTcb,
    ) -> Result<(), StoreError> {
        if self.chosen_count(key)? >= MAX_CHOSEN {
            return Ok(());
        }
        self.file.run(|database| {
            let write = database.begin_write()?;
            write.open_table(CHOSEN)?.insert(&with_tcb(key, tcb), &chosen.to_bytes())?;
            Ok(write.commit()?)
        })
    }

    /// The PPID to which the QE id is bound.
    pub(crate) fn ppid(&self, key: &PlatformKey) -> Result<Option<[u8; 16]>, StoreError> {
        self.file.run(|database| bound_ppid(&database.begin_read()?.open_table(CERTIFICATES)?, key))
    }

    /// Stores the name of a platform, if it is not its QE id.
    pub(crate) fn set_name(&self, name: &PlatformName) -> Result<(), StoreError> {
        let PlatformName::Other(text) = name else { return Ok(()) };
        self.file.run(|database| {
            let write = database.begin_write()?;
            write.open_table(NAMES)?.insert(&name.qe_id(), text.as_str())?;
            Ok(write.commit()?)
        })
    }

    /// The name by which the platform registered, else its QE id.
    pub(crate) fn name(&self, key: &PlatformKey) -> Result<PlatformName, StoreError> {
        self.file.run(|database| {
            let names = database.begin_read()?.open_table(NAMES)?;
            let name = names.get(&key.qe_id)?.map(|name| name.value().to_owned());
            Ok(name.map_or(PlatformName::QeId(key.qe_id), PlatformName::Other))
        })
    }

    /// Tells if a token holder has registered the platform or uploaded its certificates.
    pub(crate) fn is_registered(&self, key: &PlatformKey) -> Result<bool, StoreError> {
        self.file.run(|database| {
            let read = database.begin_read()?;
            let is_known = read.open_table(PLATFORMS)?.get(&key.to_bytes())?.is_some();
            Ok(is_known && read.open_table(UNREGISTERED)?.get(&key.to_bytes())?.is_none())
        })
    }

    fn chosen_count(&self, key: &PlatformKey) -> Result<usize, StoreError> {
        self.file.run(|database| {
            let chosen = database.begin_read()?.open_table(CHOSEN)?;
            let [first, last] = first_and_last(key);
            Ok(chosen.range::<&[u8; 36]>(&first..=&last)?.take(MAX_CHOSEN).count())
        })
    }

    /// Adds a certificate of a platform, and chooses it for this TCB. Returns `false` if the
    /// authority does not allow it.
    pub(crate) fn add(
        &self,
        key: &PlatformKey,
        platform: &StoredPlatform,
        certificates: &PckCertificates,
        tcb: &PckTcb,
        authority: Authority,
    ) -> Result<bool, StoreError> {
        let is_full = authority == Authority::Anyone && self.chosen_count(key)? >= MAX_CHOSEN;
        let further: &[_] = if is_full { &[] } else { &[*tcb] };
        self.write(key, certificates, authority, |write, change| {
            if change == Change::Replace {
                tables::put_platform(write, key, platform, &certificates.issuer_chain)?;
            }
            let choose = |_: &PckTcb| certificates.offered().first().copied();
            tables::put_certificates(write, key, certificates, change)?;
            tables::put_chosen(write, key, further, choose, change)
        })
    }

    /// Replaces the certificates of a platform, and chooses again for each stored TCB and for these
    /// further ones; TCBs without a suitable certificate are removed. An authority that may not
    /// replace adds the missing certificates. Returns `false` if the authority allows neither.
    pub(crate) fn replace(
        &self,
        key: &PlatformKey,
        platform: &StoredPlatform,
        certificates: &PckCertificates,
        further: &[PckTcb],
        choose: impl Fn(&PckTcb) -> Option<PckTcb>,
        authority: Authority,
    ) -> Result<bool, StoreError> {
        let is_full = authority == Authority::Anyone && self.chosen_count(key)? >= MAX_CHOSEN;
        let further = if is_full { &[] } else { further };
        self.write(key, certificates, authority, |write, change| {
            if change == Change::Replace {
                tables::put_platform(write, key, platform, &certificates.issuer_chain)?;
                tables::clear_certificates(write, key)?;
                let known = tables::take_chosen(write, key)?;
                tables::put_chosen(write, key, &known, &choose, change)?;
            }
            tables::put_certificates(write, key, certificates, change)?;
            tables::put_chosen(write, key, further, &choose, change)
        })
    }

    /// Writes as much as the authority allows. Returns `false` if it allows nothing.
    fn write(
        &self,
        key: &PlatformKey,
        certificates: &PckCertificates,
        authority: Authority,
        write: impl Fn(&WriteTransaction, Change) -> Result<(), redb::Error>,
    ) -> Result<bool, StoreError> {
        self.file.run(|database| {
            let transaction = database.begin_write()?;
            let Some(change) = binding::change(&transaction, key, certificates, authority)? else {
                transaction.abort()?;
                return Ok(false);
            };
            write(&transaction, change)?;
            transaction.commit()?;
            Ok(true)
        })
    }

    /// The issuer chains of all certificates: one for each version of a CA.
    pub(crate) fn issuer_chains(&self) -> Result<Vec<String>, StoreError> {
        self.file.run(|database| {
            let chains = database.begin_read()?.open_table(ISSUER_CHAINS)?;
            let chains = chains.iter()?.map(|entry| Ok(entry?.1.value().to_owned()));
            chains.collect()
        })
    }

    /// The number of platforms.
    pub(crate) fn count(&self) -> Result<u64, StoreError> {
        self.file.run(|database| Ok(database.begin_read()?.open_table(PLATFORMS)?.len()?))
    }
}

#[cfg(test)]
mod tests;
