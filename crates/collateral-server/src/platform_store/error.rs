//! Errors of the database.

use std::io;
use std::path::{Path, PathBuf};

use redb::{DatabaseError, Error};

/// The database of platforms cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process uses it.
    #[error(
        "another process has the database of platforms {path} open; a state directory serves one \
         server: stop the other one, or use another directory"
    )]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// It is damaged, or no such database.
    #[error(
        "the database of platforms {path} is damaged ({reason}); restore a backup, or move it aside and \
         register the platforms again"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The damage.
        reason: String,
    },
    /// An error of the operating system.
    #[error(
        "the database of platforms {path} cannot be read or written: {reason}; its data is intact: \
         check the space on the disk and the permissions"
    )]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        reason: io::Error,
    },
}

impl StoreError {
    pub(super) fn of_opening(path: &Path, error: DatabaseError) -> Self {
        match error {
            DatabaseError::DatabaseAlreadyOpen => Self::Locked { path: path.to_owned() },
            other => Self::of(path, other.into()),
        }
    }

    pub(super) fn of(path: &Path, error: Error) -> Self {
        let path = path.to_owned();
        match error {
            Error::Io(reason) if is_of_content(&reason) => {
                Self::Damaged { path, reason: reason.to_string() }
            }
            Error::Io(reason) => Self::Io { path, reason },
            other => Self::Damaged { path, reason: other.to_string() },
        }
    }
}

/// Tells if the content is wrong (too short or invalid), and not the reading.
fn is_of_content(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}
