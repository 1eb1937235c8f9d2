//! What is to be known though it kept nobody from an answer.

use std::fmt;
use std::sync::Arc;

use crate::{FetchError, Record, RecordFileError};

/// Something that whoever runs this should know, and that kept nobody from an answer.
#[derive(Debug)]
pub enum Event {
    /// It was fetched.
    Fetched(Arc<Record>),
    /// There is nothing newer than something that has expired.
    Expired(FetchError),
    /// What was fetched is not on disk.
    NotStored(RecordFileError),
    /// What is on disk is not used.
    Unusable(String),
    /// A PCK certificate was fetched for a QE id whose PCK certificates so far are of another platform. It is not kept.
    OtherPlatform(Arc<Record>),
}

/// Where on_event go.
pub type EventHandler = Box<dyn Fn(&Event) + Send + Sync>;

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetched(record) => write!(f, "fetched {} from {}", record.item, record.source),
            Self::Expired(error) => {
                write!(f, "what is kept is used though it has expired: {error}")
            }
            Self::NotStored(error) => write!(f, "{error}"),
            Self::Unusable(reason) => f.write_str(reason),
            Self::OtherPlatform(record) => write!(
                f,
                "{} from {} is not kept: its PPID is another one than that of the PCK certificates which are \
                 kept for this QE id; if the platform has really changed, clear the cache",
                record.item, record.source
            ),
        }
    }
}
