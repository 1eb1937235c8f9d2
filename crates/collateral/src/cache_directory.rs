//! One directory, one file for each item.
//!
//! Several processes, of several users, may use it at the same time: files appear whole, by rename, and whoever
//! is about to fetch an item holds its lock, which it shares with a few others by chance, so that questions that
//! somebody makes up leave no files. What kill -9 leaves behind is a file that nobody reads,
//! and that the next [`sweep`](CacheDirectory::sweep) removes.

mod high_water_marks;

use std::fs::{self, DirEntry, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::check::Checked;
use crate::record_file::{self, Kept, TEMPORARY};
use crate::{Item, Record, RecordFileError, Revision};

/// How often a lock that somebody else has is tried.
const LOCK_PAUSE: Duration = Duration::from_millis(10);
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

/// Who fetches an item.
#[derive(Debug)]
pub(crate) enum ItemLock {
    /// Whoever holds this, and nobody else.
    Held { _lock: HeldLock },
    /// Somebody else.
    Busy,
    /// Everybody for himself, since there can be no lock here: nothing can be written.
    Impossible,
}

/// A lock, until this is dropped. To close the file would not be enough: a child process that was forked meanwhile has
/// it open, too.
#[derive(Debug)]
pub(crate) struct HeldLock(File);

impl Drop for HeldLock {
    fn drop(&mut self) {
        let _ = flock(&self.0, FlockOperation::Unlock);
    }
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
    pub(crate) fn read(&self, item: &Item) -> Result<Option<Kept>, RecordFileError> {
        record_file::read(&self.directory, item)
    }

    /// When the item was last kept; `None` if it is not there.
    pub(crate) fn modified(&self, item: &Item) -> Option<SystemTime> {
        fs::metadata(record_file::path(&self.directory, item)).ok()?.modified().ok()
    }

    /// The newest revision that was ever kept of the item under this root. Of PCK certificates it is not known: an old
    /// one is as good as a new one of the same TCB, and there are as many as questions that somebody makes up.
    pub(crate) fn newest(
        &self,
        item: &Item,
        root: &[u8; 32],
    ) -> Result<Option<Revision>, RecordFileError> {
        match item {
            Item::PckCertificate(_) => Ok(None),
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
        if !matches!(record.item, Item::PckCertificate(_)) {
            let Checked { revision, root, .. } = *checked;
            high_water_marks::raise(&self.directory, &record.item, root, revision)?;
        }
        self.sweep(SystemTime::now()).map_err(|reason| self.refused(reason))
    }

    /// Forgets the item.
    pub(crate) fn remove(&self, item: &Item) -> io::Result<()> {
        missing_is_fine(fs::remove_file(record_file::path(&self.directory, item)))
    }

    /// What is kept, file by file, unchecked. Where there is no directory, nothing is.
    pub(crate) fn all(&self) -> io::Result<Vec<Result<Kept, RecordFileError>>> {
        let paths = self.files()?.into_iter().map(|file| file.path);
        Ok(paths.filter_map(|path| record_file::read_file(&path).transpose()).collect())
    }

    /// Removes what is too old, the oldest of what is too much, and what was never written to its end.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn sweep(&self, now: SystemTime) -> io::Result<()> {
        self.remove_abandoned(now)?;
        let mut files = self.files()?;
        files.sort_by_key(|file| std::cmp::Reverse(file.modified));
        let mut size = 0_u64;
        for file in files {
            size = size.saturating_add(file.size);
            if size > self.max_size || age(file.modified, now) > FORGOTTEN_AFTER {
                missing_is_fine(fs::remove_file(&file.path))?;
            }
        }
        Ok(())
    }

    /// The right to fetch the item, as soon as nobody else has it, until the deadline at the latest.
    pub(crate) fn lock(&self, item: &Item, deadline: Instant) -> ItemLock {
        let Ok(file) = self.lock_file(item) else { return ItemLock::Impossible };
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return ItemLock::Held { _lock: HeldLock(file) },
                Err(Errno::WOULDBLOCK) if Instant::now() >= deadline => return ItemLock::Busy,
                Err(Errno::WOULDBLOCK) => thread::sleep(LOCK_PAUSE),
                Err(_) => return ItemLock::Impossible,
            }
        }
    }

    fn lock_file(&self, item: &Item) -> io::Result<File> {
        self.make()?;
        let path = self.directory.join(format!("{:02x}.lock", lock_number(item)));
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o644).open(path)
    }

    /// Others may read what is kept, for it is public. What others may write is no cache: each record is checked when it
    /// is read, but an old one may hold, too.
    fn make(&self) -> io::Result<()> {
        private_directory::make_readable(&self.directory)?;
        private_directory::check(&self.directory).map_err(io::Error::other)
    }

    fn refused(&self, reason: io::Error) -> RecordFileError {
        RecordFileError::Write { path: self.directory.clone(), reason }
    }

    /// The files with records.
    fn files(&self) -> io::Result<Vec<RecordFile>> {
        let is_record = |path: &Path| path.extension().is_some_and(|extension| extension == "json");
        let entries = self.entries()?.into_iter().filter(|entry| is_record(&entry.path()));
        Ok(entries.filter_map(|entry| RecordFile::of(&entry)).collect())
    }

    fn remove_abandoned(&self, now: SystemTime) -> io::Result<()> {
        let written = |entry: &DirEntry| {
            entry.file_name().as_encoded_bytes().starts_with(TEMPORARY.as_bytes())
        };
        for entry in self.entries()?.iter().filter(|entry| written(entry)) {
            let abandoned =
                RecordFile::of(entry).is_some_and(|file| age(file.modified, now) > ABANDONED_AFTER);
            if abandoned {
                missing_is_fine(fs::remove_file(entry.path()))?;
            }
        }
        Ok(())
    }

    fn entries(&self) -> io::Result<Vec<DirEntry>> {
        match fs::read_dir(&self.directory) {
            Ok(entries) => entries.collect(),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

struct RecordFile {
    path: PathBuf,
    size: u64,
    modified: SystemTime,
}

impl RecordFile {
    /// `None` for what has just been removed.
    fn of(entry: &DirEntry) -> Option<Self> {
        let metadata = entry.metadata().ok()?;
        Some(Self { path: entry.path(), size: metadata.len(), modified: metadata.modified().ok()? })
    }
}

/// Which of the 256 locks: the same in each process, whoever has built it.
fn lock_number(item: &Item) -> u8 {
    let mix = |hash: u8, byte| hash.rotate_left(3).wrapping_mul(5) ^ byte;
    item.to_string().bytes().fold(0, mix)
}

fn age(modified: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(modified).unwrap_or_default()
}

fn missing_is_fine(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
