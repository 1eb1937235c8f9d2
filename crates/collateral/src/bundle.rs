//! Collateral in one file, for machines without a network.
//!
//! A bundle is lines of JSON: the first one says what it is and how many records follow, each other
//! one is a record in the form that it has in the cache. So it can be of any size, and is read line
//! by line. Nobody needs to have signed it: each document in it is signed by its issuer, and is
//! checked when it is imported.

use std::io::{self, BufRead, Read, Write};
use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::check::check;
use crate::record_file::{self, MAX_FILE, StoredRecord};
use crate::{Cache, CollateralId, Document, InsertError, Record};

/// Identifies a bundle.
const FORMAT: &str = "sgx-quote-helper collateral";
const VERSION: u32 = 1;
/// The longest first line, in bytes.
const MAX_HEADER: u64 = 1024;
/// Maximum length of a source's name, in characters. It is not signed.
const MAX_SOURCE: usize = 200;

#[derive(Serialize, Deserialize)]
struct Header {
    bundle: String,
    version: u32,
    records: u64,
}

/// Writes these records as a bundle.
///
/// # Errors
/// Those of the operating system.
pub fn write_bundle(records: &[Record], to: &mut impl Write) -> io::Result<()> {
    let records_number = records.len() as u64;
    let header = Header { bundle: FORMAT.to_owned(), version: VERSION, records: records_number };
    serde_json::to_writer(&mut *to, &header)?;
    to.write_all(b"\n")?;
    for record in records {
        to.write_all(&record_file::to_json(record)?)?;
        to.write_all(b"\n")?;
    }
    to.flush()
}

/// A bundle that is being read: an iterator over its records, none of which is checked. It goes on
/// after a record that is [damaged](BundleError::Damaged), and ends after any other error.
#[derive(Debug)]
pub struct Bundle<R> {
    from: R,
    records: u64,
    read: u64,
    has_ended: bool,
}

/// A record of a bundle, before anything about it is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleRecord(StoredRecord);

/// A bundle, or a part of it, cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The operating system refused.
    #[error("it cannot be read: {0}")]
    Read(#[from] io::Error),
    /// It is not a bundle.
    #[error("it is not a collateral bundle; make one with `quote-helper collateral export`")]
    NoBundle,
    /// A later version of this program wrote it.
    #[error(
        "it is a bundle of version {0}, and this program reads version {VERSION}; use a newer one"
    )]
    Version(u32),
    /// A record cannot be read.
    #[error("its record {number} is damaged: {reason}", reason = printable::json_error(reason))]
    Damaged {
        /// The number of the record, from 1.
        number: u64,
        /// The reason.
        reason: serde_json::Error,
    },
    /// A record is larger than one may be, 9 MiB.
    #[error("its record {0} has more than {MAX_FILE} bytes; what follows is not read")]
    TooLarge(u64),
    /// It has fewer records than its header says.
    #[error("it is cut off: it has {has} of its {of} records; carry it over again")]
    CutOff {
        /// The number of records.
        has: u64,
        /// The number in the header.
        of: u64,
    },
    /// It has more records than its header says.
    #[error("it has more than its {0} records; the others are not read")]
    TooLong(u64),
}

impl<R: BufRead> Bundle<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// [`BundleError`] if it is not a bundle.
    pub fn open(mut from: R) -> Result<Self, BundleError> {
        let header = line(&mut from, MAX_HEADER)?.ok_or(BundleError::NoBundle)?;
        let header: Header = serde_json::from_slice(&header).map_err(|_| BundleError::NoBundle)?;
        match (header.bundle == FORMAT, header.version) {
            (true, VERSION) => {
                Ok(Self { from, records: header.records, read: 0, has_ended: false })
            }
            (true, other) => Err(BundleError::Version(other)),
            (false, _) => Err(BundleError::NoBundle),
        }
    }

    fn record(&mut self) -> Result<Option<BundleRecord>, BundleError> {
        if self.read == self.records {
            self.has_ended = true;
            return match self.from.fill_buf()?.is_empty() {
                true => Ok(None),
                false => Err(BundleError::TooLong(self.records)),
            };
        }
        let number = self.read.saturating_add(1);
        let cut_off = BundleError::CutOff { has: self.read, of: self.records };
        let json = match line(&mut self.from, MAX_FILE)? {
            Some(json) if json.is_empty() => return Err(cut_off),
            Some(json) => json,
            None => return Err(BundleError::TooLarge(number)),
        };
        self.read = number;
        let kept = record_file::from_json(&json);
        kept.map(|kept| Some(BundleRecord(kept)))
            .map_err(|reason| BundleError::Damaged { number, reason })
    }
}

impl<R: BufRead> Iterator for Bundle<R> {
    type Item = Result<BundleRecord, BundleError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_ended {
            return None;
        }
        let record = self.record();
        self.has_ended |= !matches!(record, Ok(_) | Err(BundleError::Damaged { .. }));
        record.transpose()
    }
}

/// The next line with its end; empty if there is none, `None` if it is longer than `max` bytes.
fn line(from: &mut impl BufRead, max: u64) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let size = from.take(max.saturating_add(1)).read_until(b'\n', &mut line)?;
    Ok((size as u64 <= max).then_some(line))
}

impl BundleRecord {
    /// The item, unchecked.
    #[must_use]
    pub fn item(&self) -> &CollateralId {
        &self.0.item
    }

    /// The document, unchecked.
    #[must_use]
    pub fn into_document(self) -> Document {
        self.0.document
    }
}

/// The result of the import of a valid record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Imported {
    /// It is stored.
    Stored(Record),
    /// This cached record is not older, and stays.
    HadNewer(Arc<Record>),
}

impl Cache {
    /// Stores a record of a bundle if it is valid now and newer than the cached one.
    ///
    /// The [`Revision`](crate::Revision) counts, which the issuer signed. The time of the fetch and
    /// the source are unsigned: they are for people, and for the age at which records are
    /// refreshed.
    ///
    /// # Errors
    /// [`InsertError`].
    pub fn import(&self, record: BundleRecord) -> Result<Imported, InsertError> {
        let (roots, now) = (self.fetcher().roots(), self.fetcher().now());
        let StoredRecord { item, document, fetched, source } = record.0;
        let validity = check(&item, &document, roots, now)?;
        let fetched = SystemTime::from(fetched).clamp(validity.from, now);
        // The check of each read from the cache.
        check(&item, &document, roots, fetched)?;
        let source = source.chars().take(MAX_SOURCE).collect();
        let record = Record { item, document, validity, fetched, source };
        match (self.insert(&record)?, self.peek(&record.item)) {
            (false, Some(kept)) => Ok(Imported::HadNewer(kept)),
            _ => Ok(Imported::Stored(record)),
        }
    }
}
