//! One directory, one file for each item.
//!
//! Several processes, of several users, may use it at the same time: files appear whole, by rename, and whoever
//! is about to fetch an item holds its lock. What kill -9 leaves behind is a file that nobody reads,
//! and that the next [`sweep`](CacheDirectory::sweep) removes. The directory is the cache's alone: where something
//! else's files are, nothing is written or removed.

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

/// How old a record gets. Collateral has expired long before, and a platform that asks has a newer certificate.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(400 * 24 * 3600);
/// How old a file that is being written gets before nobody can be writing it any more.
const ABANDONED_AFTER: Duration = Duration::from_secs(3600);

/// The directory.
#[derive(Debug, Clone)]
pub struct CacheDirectory {
    directory: PathBuf,
    max_size: u64,
}

impl CacheDirectory {
    /// The cache in this directory, which is made when something is to be kept; all files together have `max_size`
    /// bytes at the most.
    #[must_use]
    pub fn new(directory: &Path, max_size: u64) -> Self {
        Self { directory: directory.to_owned(), max_size }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.directory
    }

    /// What is kept of the item, unchecked.
    pub(crate) fn read(
        &self,
        item: &CollateralId,
    ) -> Result<Option<StoredRecord>, RecordFileError> {
        record_file::read(&self.directory, item)
    }

    /// When the item was last kept; `None` if it is not there.
    pub(crate) fn modified(&self, item: &CollateralId) -> Option<SystemTime> {
        fs::metadata(record_file::path(&self.directory, item)).ok()?.modified().ok()
    }

    /// The newest revision that was ever kept of the item under this root. Of PCK certificates it is not known: an old
    /// one is as good as a new one of the same TCB, and there are as many as questions that somebody makes up.
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

    /// Keeps the record, which is such, in place of an older one of the same item.
    ///
    /// # Errors
    /// [`RecordFileError::Write`]; what was there before stays.
    pub(crate) fn write(&self, record: &Record, checked: &Checked) -> Result<(), RecordFileError> {
        self.make().map_err(|reason| self.refused(reason))?;
        record_file::write(&self.directory, record)?;
        if !matches!(record.item, CollateralId::PckCertificate(_)) {
            let Checked { revision, root, .. } = *checked;
            high_water_marks::raise(&self.directory, &record.item, root, revision)?;
        }
        self.sweep(SystemTime::now()).map_err(|reason| self.refused(reason))
    }

    /// Forgets the item.
    pub(crate) fn remove(&self, item: &CollateralId) -> io::Result<()> {
        remove_record(&record_file::path(&self.directory, item))
    }

    /// What is kept, file by file, unchecked. Where there is no directory, nothing is.
    pub(crate) fn all(&self) -> io::Result<Vec<Result<StoredRecord, RecordFileError>>> {
        let files = Contents::read(&self.directory)?.records.into_iter();
        Ok(files.filter_map(|file| record_file::read_file(&file.path).transpose()).collect())
    }

    /// Removes what is too old, the oldest of what is too much, and what was never written to its end.
    ///
    /// # Errors
    /// Those of the operating system, and one that names a file that is not the cache's; nothing is removed then.
    pub fn sweep(&self, now: SystemTime) -> io::Result<()> {
        let Contents { mut records, unfinished, former_locks } = Contents::read(&self.directory)?;
        let abandoned = unfinished.iter().filter(|file| file.age(now) > ABANDONED_AFTER);
        let empty = former_locks.iter().filter(|file| file.size == 0);
        abandoned.chain(empty).try_for_each(|file| missing_is_fine(fs::remove_file(&file.path)))?;
        records.sort_by_key(|file| std::cmp::Reverse(file.modified));
        let mut size = 0_u64;
        for file in records {
            size = size.saturating_add(file.size);
            if size > self.max_size || file.age(now) > FORGOTTEN_AFTER {
                remove_record(&file.path)?;
            }
        }
        Ok(())
    }

    /// The right to fetch the item, as soon as nobody else has it, until the deadline at the latest.
    pub(crate) fn lock(&self, item: &CollateralId, deadline: Instant) -> ItemLock {
        match self.make() {
            Ok(()) => ItemLock::acquire(&self.directory, item, deadline),
            Err(_) => ItemLock::Impossible,
        }
    }

    /// Others may read what is kept, for it is public. What others may write is no cache: each record is checked when it
    /// is read, but an old one may hold, too.
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

/// Removes a record. What has the name of one and is none stays.
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
