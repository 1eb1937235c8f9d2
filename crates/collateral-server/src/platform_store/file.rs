//! The database's file, which outlives failures of the disk.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use parking_lot::RwLock;
use redb::{Builder, Database, Error};

use super::StoreError;
use super::tables;

/// What of the file is in memory at the most, in bytes.
const CACHE_SIZE: usize = 64 * 1024 * 1024;
/// The largest file, in bytes, whose pages are all checked each time it is opened, which takes a second at the most. A
/// larger one that was closed in order is believed: nobody should wait for gigabytes to be read whenever a server is
/// replaced.
const CHECKED: u64 = 512 * 1024 * 1024;

/// One file.
pub(super) struct DatabaseFile {
    path: PathBuf,
    /// `None` when it could not be opened again after a failure.
    database: RwLock<Option<Database>>,
}

impl DatabaseFile {
    /// Opens or makes it. Its pages and what they refer to are checked, so that damage shows here and not later, if that
    /// is soon done or the file was not closed in order.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        make_private(path).map_err(|reason| StoreError::Io { path: path.to_owned(), reason })?;
        let is_small = path.metadata().is_ok_and(|file| file.len() <= CHECKED);
        let database = open(path, is_small)?;
        tables::make(&database).map_err(|error| StoreError::of(path, error))?;
        Ok(Self { path: path.to_owned(), database: RwLock::new(Some(database)) })
    }

    /// Does this with the database.
    ///
    /// After a failure of the disk, a full one for instance, the database does nothing any more until it is opened
    /// again. That happens here, so that the failure is that of one request.
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
                // That it cannot be opened either is for the next request to tell.
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

/// A file that is not there yet is made for this user alone: what it has tells platforms apart.
fn make_private(path: &Path) -> io::Result<()> {
    match untrusted_input::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        file => drop(file?),
    }
    OpenOptions::new().append(true).create(true).mode(0o600).open(path).map(drop)
}

/// After a crash each page is checked in any case.
fn open(path: &Path, check: bool) -> Result<Database, StoreError> {
    Builder::new()
        .set_cache_size(CACHE_SIZE)
        .set_check_integrity_on_open(check)
        .create(path)
        .map_err(|error| StoreError::of_opening(path, error))
}
