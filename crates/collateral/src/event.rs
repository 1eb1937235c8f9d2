//! Events of the cache for the log.

use std::fmt;
use std::sync::Arc;

use crate::{FetchError, Record, RecordFileError};

/// An event that did not make a lookup fail.
#[derive(Debug)]
pub enum Event {
    /// A document was fetched.
    Fetched(Arc<Record>),
    /// An expired record is used, since no newer one can be fetched.
    Expired(FetchError),
    /// A fetched document could not be stored on disk.
    NotStored(RecordFileError),
    /// A file on disk cannot be used.
    Unusable(String),
    /// A fetched PCK certificate has another PPID than the cached ones for its QE id. It is not
    /// stored.
    OtherPlatform(Arc<Record>),
}

/// A function that receives events.
pub type EventHandler = Box<dyn Fn(&Event) + Send + Sync>;

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetched(record) => write!(f, "fetched {} from {}", record.item, record.source),
            Self::Expired(error) => {
                write!(f, "using an expired item: {error}")
            }
            Self::NotStored(error) => write!(f, "{error}"),
            Self::Unusable(reason) => f.write_str(reason),
            Self::OtherPlatform(record) => write!(
                f,
                "{} from {} is not stored: its PPID differs from that of the cached PCK certificates \
                 for this QE id; if the platform has really changed, clear the cache",
                record.item, record.source
            ),
        }
    }
}
