//! The database's file, reopened after failures of the disk.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use parking_lot::RwLock;
use redb::{Builder, Database, Error};

use super::StoreError;
use super::tables;

/// Maximum size of the page cache in bytes.
const CACHE_SIZE: usize = 64 * 1024 * 1024;
/// Maximum size in bytes of a file whose pages are all checked at each start, within a second. A
/// larger file is checked only if it was not closed properly, so that restarts stay fast.
const CHECKED: u64 = 512 * 1024 * 1024;

/// One file.
pub(super) struct DatabaseFile {
    path: PathBuf,
    /// `None` when reopening failed.
    database: RwLock<Option<Database>>,
}

impl DatabaseFile {
    /// Opens or creates the file, and checks its pages, so that damage is found now and not later.
    /// Large files that were closed properly are not checked.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        make_private(path).map_err(|reason| StoreError::Io { path: path.to_owned(), reason })?;
        let is_small = path.metadata().is_ok_and(|file| file.len() <= CHECKED);
        let database = open(path, is_small)?;
        tables::make(&database).map_err(|error| StoreError::of(path, error))?;
        Ok(Self { path: path.to_owned(), database: RwLock::new(Some(database)) })
    }

    /// Runs work on the database.
    ///
    /// After an error of the disk, such as a full one, redb rejects all work until the database is
    /// reopened. That happens here, so that only one request fails.
    pub(super) fn run<T>(
        &self,
        work: impl Fn(&Database) -> Result<T, Error>,
    ) -> Result<T, StoreError> {
        let failed = |error| StoreError::of(&self.path, error);
        let first = {
            // No panic leaves the database half changed: a transaction that does not end is none.
            let database = self.database.read();
            database.as_ref().map(&work)
        };
        match first {
            Some(Err(error @ Error::Io(_))) => {
                // If this fails, too, the next request reports it.
                let _ = self.reopen();
                Err(failed(error))
            }
            None | Some(Err(Error::PreviousIo)) => {
                self.reopen()?;
                let database = self.database.read();
                database.as_ref().map_or(Err(Error::PreviousIo), work).map_err(failed)
            }
            Some(result) => result.map_err(failed),
        }
    }

    fn reopen(&self) -> Result<(), StoreError> {
        let mut database = self.database.write();
        *database = None;
        *database = Some(open(&self.path, false)?);
        Ok(())
    }
}

/// Creates a missing file readable by this user alone: its data identifies platforms.
fn make_private(path: &Path) -> io::Result<()> {
    match untrusted_input::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        file => drop(file?),
    }
    OpenOptions::new().append(true).create(true).mode(0o600).open(path).map(drop)
}

/// Opens the database; redb checks all pages after a crash in any case.
fn open(path: &Path, check: bool) -> Result<Database, StoreError> {
    Builder::new()
        .set_cache_size(CACHE_SIZE)
        .set_check_integrity_on_open(check)
        .create(path)
        .map_err(|error| StoreError::of_opening(path, error))
}
