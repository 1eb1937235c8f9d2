//! Directory of a cache, with one file for each item.
//!
//! Several processes of several users may share it: files appear whole, by rename, and a process
//! that fetches an item holds its lock. kill -9 may leave an unfinished file, which the next
//! [`sweep`](CacheDirectory::sweep) removes. In a directory with other files nothing is written or
//! removed.

mod contents;
mod high_water_marks;
mod item_lock;

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use self::contents::{CacheFile, Contents};
pub(crate) use self::item_lock::ItemLock;
use crate::check::Checked;
use crate::record_file::{self, StoredRecord};
use crate::{CollateralId, Record, RecordFileError, Revision};

/// Maximum age of a record. Its document has expired long before.
const MAX_AGE: Duration = Duration::from_secs(400 * 24 * 3600);
/// Age from which an unfinished file counts as abandoned.
const ABANDONED_AFTER: Duration = Duration::from_secs(3600);

/// Directory of a cache.
#[derive(Debug, Clone)]
pub struct CacheDirectory {
    directory: PathBuf,
    max_size: u64,
}

impl CacheDirectory {
    /// This directory, which is created by the first write. Its records have at most `max_size`
    /// bytes together.
    #[must_use]
    pub fn new(directory: &Path, max_size: u64) -> Self {
        Self { directory: directory.to_owned(), max_size }
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.directory
    }

    /// Reads the record of an item, unchecked.
    pub(crate) fn read(
        &self,
        item: &CollateralId,
    ) -> Result<Option<StoredRecord>, RecordFileError> {
        record_file::read(&self.directory, item)
    }

    /// The time of the last write of an item; `None` if it is not there.
    pub(crate) fn modified(&self, item: &CollateralId) -> Option<SystemTime> {
        fs::metadata(record_file::path(&self.directory, item)).ok()?.modified().ok()
    }

    /// The newest revision of the item that was ever stored under this root. It is not recorded for
    /// PCK certificates: an old one of the same TCB is as good, and clients could make up any
    /// number.
    pub(crate) fn newest(
        &self,
        item: &CollateralId,
        root: &[u8; 32],
    ) -> Result<Option<Revision>, RecordFileError> {
        match item {
            CollateralId::PckCertificate(_) => Ok(None),
            _ => high_water_marks::read(&self.directory, item, root),
        }
    }

    /// Stores a checked record in place of an older one.
    ///
    /// # Errors
    /// [`RecordFileError::Write`]; the former record stays.
    pub(crate) fn write(&self, record: &Record, checked: &Checked) -> Result<(), RecordFileError> {
        self.make().map_err(|reason| self.refused(reason))?;
        record_file::write(&self.directory, record)?;
        if !matches!(record.item, CollateralId::PckCertificate(_)) {
            let Checked { revision, root, .. } = *checked;
            high_water_marks::raise(&self.directory, &record.item, root, revision)?;
        }
        self.sweep(SystemTime::now()).map_err(|reason| self.refused(reason))
    }

    /// Removes the record of an item.
    pub(crate) fn remove(&self, item: &CollateralId) -> io::Result<()> {
        remove_record(&record_file::path(&self.directory, item))
    }

    /// All records, unchecked; none if there is no directory.
    pub(crate) fn all(&self) -> io::Result<Vec<Result<StoredRecord, RecordFileError>>> {
        let files = Contents::read(&self.directory)?.records.into_iter();
        Ok(files.filter_map(|file| record_file::read_file(&file.path).transpose()).collect())
    }

    /// Removes records that are too old, the oldest ones above the maximum size, and abandoned
    /// files.
    ///
    /// # Errors
    /// Those of the operating system, and one that names a foreign file; nothing is removed then.
    pub fn sweep(&self, now: SystemTime) -> io::Result<()> {
        let Contents { mut records, unfinished, former_locks } = Contents::read(&self.directory)?;
        let abandoned = unfinished.iter().filter(|file| file.age(now) > ABANDONED_AFTER);
        let empty = former_locks.iter().filter(|file| file.size == 0);
        abandoned.chain(empty).try_for_each(|file| missing_is_fine(fs::remove_file(&file.path)))?;
        records.sort_by_key(|file| std::cmp::Reverse(file.modified));
        let mut size = 0_u64;
        for file in records {
            size = size.saturating_add(file.size);
            if size > self.max_size || file.age(now) > MAX_AGE {
                remove_record(&file.path)?;
            }
        }
        Ok(())
    }

    /// Waits until the deadline for the lock of an item.
    pub(crate) fn lock(&self, item: &CollateralId, deadline: Instant) -> ItemLock {
        match self.make() {
            Ok(()) => ItemLock::acquire(&self.directory, item, deadline),
            Err(_) => ItemLock::Impossible,
        }
    }

    /// Creates the directory. Others may read it, since collateral is public, but not write: an old
    /// document that they put there could still be valid.
    fn make(&self) -> io::Result<()> {
        private_directory::check_place(&self.directory).map_err(io::Error::other)?;
        private_directory::make_readable(&self.directory)?;
        private_directory::check(&self.directory).map_err(io::Error::other)?;
        Contents::read(&self.directory).map(drop)
    }

    fn refused(&self, reason: io::Error) -> RecordFileError {
        RecordFileError::Write { path: self.directory.clone(), reason }
    }
}

impl CacheFile {
    fn age(&self, now: SystemTime) -> Duration {
        now.duration_since(self.modified).unwrap_or_default()
    }
}

/// Removes a record. Another file of such a name stays.
fn remove_record(path: &Path) -> io::Result<()> {
    match record_file::read_file(path) {
        Ok(Some(_)) => missing_is_fine(fs::remove_file(path)),
        _ => Ok(()),
    }
}

fn missing_is_fine(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
