//! Contents of a cache's directory: which entries are the cache's own.

use std::fs::{self, DirEntry, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use atomic_file::TEMPORARY_PREFIX;

use crate::CollateralId;

/// Allowed foreign files: that of a file system's root, and the tag by which backup programs
/// recognize caches.
const ALLOWED: [&str; 2] = ["lost+found", "CACHEDIR.TAG"];

/// The directory has a file that is not the cache's.
#[derive(Debug, thiserror::Error)]
#[error(
    "{} is not a cache directory: it holds the foreign file {file:?}, so nothing is stored or removed there; \
     move that file away, or give the cache a directory of its own (--cache-dir, QUOTE_HELPER_COLLATERAL_CACHE_DIR)",
    .directory.display()
)]
pub(super) struct ForeignContent {
    directory: PathBuf,
    file: String,
}

/// Files of the directory, by their names. Other files whose names begin with a dot are ignored.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// Named as records.
    pub(super) records: Vec<CacheFile>,
    /// Unfinished.
    pub(super) unfinished: Vec<CacheFile>,
    /// Locks of earlier versions, which are empty.
    pub(super) former_locks: Vec<CacheFile>,
}

/// A regular file.
#[derive(Debug)]
pub(super) struct CacheFile {
    pub(super) path: PathBuf,
    pub(super) size: u64,
    pub(super) modified: SystemTime,
}

impl Contents {
    /// Reads the directory; empty if there is none.
    ///
    /// # Errors
    /// [`ForeignContent`], and those of the operating system.
    pub(super) fn read(directory: &Path) -> io::Result<Self> {
        let mut contents = Self::default();
        let entries = match fs::read_dir(directory) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(contents),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                return Err(foreign(directory, &entry));
            };
            let list = match &*name {
                name if name.strip_suffix(".json").is_some_and(CollateralId::is_name) => {
                    &mut contents.records
                }
                name if name.starts_with(TEMPORARY_PREFIX) => &mut contents.unfinished,
                name if is_former_lock(name) => &mut contents.former_locks,
                name if name.starts_with('.') || ALLOWED.contains(&name) => continue,
                _ => return Err(foreign(directory, &entry)),
            };
            // A file that was just removed has no metadata.
            list.extend(entry.metadata().ok().and_then(|metadata| regular(&entry, &metadata)));
        }
        Ok(contents)
    }
}

fn regular(entry: &DirEntry, metadata: &Metadata) -> Option<CacheFile> {
    let (path, size) = (entry.path(), metadata.len());
    metadata.is_file().then_some(CacheFile { path, size, modified: metadata.modified().ok()? })
}

/// Two hexadecimal digits.
fn is_former_lock(name: &str) -> bool {
    let digits = name.strip_suffix(".lock").unwrap_or_default();
    digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn foreign(directory: &Path, entry: &DirEntry) -> io::Error {
    let file = entry.file_name().to_string_lossy().into_owned();
    io::Error::other(ForeignContent { directory: directory.to_owned(), file })
}
