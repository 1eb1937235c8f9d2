//! Contents of a cache's directory: which entries are the cache's own.

use std::fs::{self, DirEntry, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use atomic_file::TEMPORARY_PREFIX;

use crate::CollateralId;

/// What others put into any directory, and what stays there: that of a file system's root, and the mark by which backup
/// programs know caches.
const OF_ANY_DIRECTORY: [&str; 2] = ["lost+found", "CACHEDIR.TAG"];

/// The directory is also something else's.
#[derive(Debug, thiserror::Error)]
#[error(
    "{} is no directory of a cache alone: {file:?} in it is something else's, so that nothing is kept or removed there; \
     move that away, or give the cache a directory of its own (--cache-dir, QUOTE_HELPER_COLLATERAL_CACHE_DIR)",
    .directory.display()
)]
pub(super) struct ForeignContent {
    directory: PathBuf,
    file: String,
}

/// What is in the directory, by its names. Files whose names begin with a dot are nobody's business, but for ours.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// Named as records.
    pub(super) records: Vec<CacheFile>,
    /// Being written, or never written to the end.
    pub(super) unfinished: Vec<CacheFile>,
    /// Locks that earlier versions had here: empty.
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
    /// Reads the directory; where there is none, nothing is in it.
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
                name if name.starts_with('.') || OF_ANY_DIRECTORY.contains(&name) => continue,
                _ => return Err(foreign(directory, &entry)),
            };
            // What has just been removed has no metadata.
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
