//! Files of records, in the cache and in bundles.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use atomic_file::Readers;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;

use crate::{CollateralId, Document, Record};

/// Maximum size of a file in bytes: twice the largest document, since CRLs are in hexadecimal.
pub(crate) const MAX_FILE: u64 = 9 * 1024 * 1024;

/// A record on disk, unchecked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredRecord {
    pub(crate) item: CollateralId,
    pub(crate) document: Document,
    pub(crate) fetched: OffsetDateTime,
    pub(crate) source: String,
}

/// A record cannot be read from disk, or written to it.
#[derive(Debug, thiserror::Error)]
pub enum RecordFileError {
    /// The operating system refused.
    #[error("cannot read {path}: {reason}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        reason: io::Error,
    },
    /// The operating system refused.
    #[error(
        "cannot store {path}: {reason}; the cached record is unchanged: check the disk space and the \
         permissions"
    )]
    Write {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        reason: io::Error,
    },
    /// It is not a record.
    #[error("{path} is damaged: {reason}; remove it, and it is fetched again")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
}

/// The file as JSON. The dates of validity are for people: those in the document count.
#[derive(Serialize, Deserialize)]
struct RecordJson {
    item: CollateralId,
    source: String,
    #[serde(with = "time::serde::rfc3339")]
    fetched: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    valid_from: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    valid_until: OffsetDateTime,
    issuer_chain: String,
    #[serde(flatten)]
    body: Body,
}

#[derive(Serialize, Deserialize)]
enum Body {
    #[serde(rename = "body")]
    Text(String),
    #[serde(rename = "body_hex", with = "hex")]
    Bytes(Vec<u8>),
}

impl From<&Record> for RecordJson {
    fn from(record: &Record) -> Self {
        let Document { body, issuer_chain } = record.document.clone();
        Self {
            item: record.item.clone(),
            source: record.source.clone(),
            fetched: record.fetched.into(),
            valid_from: record.validity.from.into(),
            valid_until: record.validity.until.into(),
            issuer_chain,
            body: match String::from_utf8(body) {
                Ok(text) => Body::Text(text),
                Err(error) => Body::Bytes(error.into_bytes()),
            },
        }
    }
}

impl From<RecordJson> for StoredRecord {
    fn from(form: RecordJson) -> Self {
        let body = match form.body {
            Body::Text(text) => text.into_bytes(),
            Body::Bytes(bytes) => bytes,
        };
        let RecordJson { item, source, fetched, issuer_chain, .. } = form;
        Self { item, document: Document { body, issuer_chain }, fetched, source }
    }
}

/// The path of the record of an item.
pub(crate) fn path(directory: &Path, item: &CollateralId) -> PathBuf {
    directory.join(format!("{item}.json"))
}

/// Reads the record of an item; `None` if there is no file.
pub(crate) fn read(
    directory: &Path,
    item: &CollateralId,
) -> Result<Option<StoredRecord>, RecordFileError> {
    let path = path(directory, item);
    let Some(kept) = read_file(&path)? else {
        return Ok(None);
    };
    if kept.item.to_string() != item.to_string() {
        let reason = format!("it is of {}", kept.item);
        return Err(RecordFileError::Damaged { path, reason });
    }
    Ok(Some(kept))
}

/// Reads a record; `None` if there is no file.
pub(crate) fn read_file(path: &Path) -> Result<Option<StoredRecord>, RecordFileError> {
    let Some(bytes) = read_bytes(path)? else { return Ok(None) };
    from_json(&bytes).map(Some).map_err(|error| RecordFileError::Damaged {
        path: path.to_owned(),
        reason: error.to_string(),
    })
}

/// Reads a file of at most `MAX_FILE` bytes; `None` if there is none.
pub(crate) fn read_bytes(path: &Path) -> Result<Option<Vec<u8>>, RecordFileError> {
    untrusted_input::read_if_there(path, MAX_FILE).map_err(|reason| {
        let path = path.to_owned();
        match reason.kind() {
            ErrorKind::FileTooLarge => {
                RecordFileError::Damaged { path, reason: reason.to_string() }
            }
            _ => RecordFileError::Read { path, reason },
        }
    })
}

/// Parses a record.
pub(crate) fn from_json(json: &[u8]) -> serde_json::Result<StoredRecord> {
    serde_json::from_slice::<RecordJson>(json).map(StoredRecord::from)
}

/// Formats a record on one line.
pub(crate) fn to_json(record: &Record) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&RecordJson::from(record))
}

/// Writes a record to a directory. Returns its size in bytes.
pub(crate) fn write(directory: &Path, record: &Record) -> Result<u64, RecordFileError> {
    let path = path(directory, &record.item);
    let written = check_replaceable(&path)
        .and_then(|()| Ok(serde_json::to_vec_pretty(&RecordJson::from(record))?))
        .and_then(|bytes| replace(directory, &path, &bytes).map(|()| bytes.len() as u64));
    written.map_err(|reason| RecordFileError::Write { path, reason })
}

/// Checks that the file to replace is missing, a record, or damaged, and not another program's.
fn check_replaceable(path: &Path) -> io::Result<()> {
    let bytes = untrusted_input::read_if_there(path, MAX_FILE)?.unwrap_or_default();
    let is_something_else = from_json(&bytes).is_err()
        && serde_json::from_slice::<Map<String, Value>>(&bytes).is_ok_and(|map| !map.is_empty());
    match is_something_else {
        true => Err(io::Error::other("it is not a file of the cache; move it away")),
        false => Ok(()),
    }
}

/// Replaces a file that users of other programs read. Unfinished, it is in `directory`, where the
/// next sweep finds what a killed process leaves.
pub(crate) fn replace(directory: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    atomic_file::replace_staged(directory, path, bytes, Readers::Everyone)
}
