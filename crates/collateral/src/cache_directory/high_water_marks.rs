//! The newest revision of each item that was ever stored, so that no source returns the cache to an
//! older one.
//!
//! The marks outlive the records: they are small, at most as many as Intel's documents, and no
//! sweep removes them. They are public like the records, so that other users' processes with this
//! cache read them, too; only the cache's user can change them.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::record_file::{self, RecordFileError};
use crate::{CollateralId, Revision};

/// The directory of the marks, in that of the cache.
const DIRECTORY: &str = ".high-water-marks";

/// The file of a mark, as JSON. The names are for people.
#[derive(Serialize, Deserialize)]
struct Mark {
    item: String,
    #[serde(with = "hex")]
    root: [u8; 32],
    #[serde(flatten)]
    newest: Revision,
}

/// The mark of an item whose document leads to the root with this SHA-256.
pub(super) fn read(
    cache: &Path,
    item: &CollateralId,
    root: &[u8; 32],
) -> Result<Option<Revision>, RecordFileError> {
    let path = path(cache, item, root);
    let Some(json) = record_file::read_bytes(&path)? else { return Ok(None) };
    let mark: Mark = serde_json::from_slice(&json)
        .map_err(|error| RecordFileError::Damaged { path, reason: error.to_string() })?;
    Ok(Some(mark.newest))
}

/// Raises the mark of an item to this revision, if it is newer.
///
/// A damaged mark is replaced: what is kept is newer than any record that is still there.
pub(super) fn raise(
    cache: &Path,
    item: &CollateralId,
    root: [u8; 32],
    newest: Revision,
) -> Result<(), RecordFileError> {
    let mark = read(cache, item, &root);
    if mark.is_ok_and(|mark| mark.is_some_and(|mark| mark >= newest)) {
        return Ok(());
    }
    let path = path(cache, item, &root);
    let written = make(&cache.join(DIRECTORY)).and_then(|()| {
        let json = serde_json::to_vec(&Mark { item: item.to_string(), root, newest })?;
        record_file::replace(cache, &path, &json)
    });
    written.map_err(|reason| RecordFileError::Write { path, reason })
}

fn make(directory: &Path) -> io::Result<()> {
    private_directory::make_readable(directory)?;
    private_directory::check(directory).map_err(io::Error::other)
}

/// Each root has its own marks.
fn path(cache: &Path, item: &CollateralId, root: &[u8; 32]) -> PathBuf {
    let root = root.first_chunk::<8>().copied().unwrap_or_default();
    cache.join(DIRECTORY).join(format!("{item}-{}.json", hex::encode(root)))
}
