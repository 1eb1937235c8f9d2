//! A directory of files, for machines without a network.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::{Source, SourceError};
use crate::record_file::{self, RecordFileError};
use crate::{CollateralId, Document};

/// A directory with files in the format of the cache: `<item>.json`.
pub struct FileSource {
    name: String,
    directory: PathBuf,
}

impl FileSource {
    /// The files of this directory.
    #[must_use]
    pub fn new(directory: &Path) -> Self {
        let name = format!("the directory {}", directory.display());
        Self { name, directory: directory.to_owned() }
    }
}

impl Source for FileSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn fetch(&self, item: &CollateralId, _deadline: Instant) -> Result<Document, SourceError> {
        match record_file::read(&self.directory, item) {
            Ok(Some(kept)) => Ok(kept.document),
            Ok(None) => Err(SourceError::NotFound),
            Err(error @ RecordFileError::Read { .. }) => {
                Err(SourceError::Unreachable(error.to_string()))
            }
            Err(error) => Err(SourceError::Malformed(error.to_string())),
        }
    }
}
