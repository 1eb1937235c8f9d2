//! Why the database cannot be used.

use std::io;
use std::path::{Path, PathBuf};

use redb::{DatabaseError, Error};

/// The database of platforms cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has it.
    #[error(
        "another process has the database of platforms {path} open; one server at a time uses a state \
         directory: stop the other one, or give this one a directory of its own"
    )]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// It is no such database, or no whole one.
    #[error(
        "the database of platforms {path} is damaged ({reason}); put a backup in its place, or move it aside \
         and register the platforms again"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The operating system refused.
    #[error(
        "the database of platforms {path} cannot be read or written: {reason}; what was kept before is still \
         there: check the space on the disk and the permissions"
    )]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
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

/// Whether it is what was read that is wrong, rather than the reading: the file is too short, or has no such form.
fn is_of_content(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}
