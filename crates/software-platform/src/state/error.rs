//! Errors of the directory of a platform.

use std::io;
use std::path::PathBuf;

use printable::json_error;
use private_directory::NotPrivate;

use crate::{MicrocodeError, PlatformError, UnsealError};

/// The directory of a platform cannot be used. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// There is no platform here yet.
    #[error(
        "{0} holds no software platform yet; initialize it first (`quote-helper platform init`)"
    )]
    NotInitialized(PathBuf),
    /// There is a platform here already.
    #[error("{0} holds a software platform already; open it, or choose another directory")]
    AlreadyInitialized(PathBuf),
    /// A file was lost.
    #[error(
        "{lost} is missing, though {later} was made after it; restore it from a backup, or move \
         the directory away to create another platform"
    )]
    Lost {
        /// The missing file.
        lost: PathBuf,
        /// The file that is still there.
        later: PathBuf,
    },
    /// A JSON file is damaged.
    #[error(
        "{file} cannot be used: {reason}; it was left as it is: restore it from a backup, or move \
         the directory away to begin with another platform",
        reason = json_error(reason)
    )]
    Damaged {
        /// The file.
        file: PathBuf,
        /// The error in it.
        reason: serde_json::Error,
    },
    /// The sealed attestation key cannot be opened.
    #[error(
        "{file} cannot be used: {reason}; it was left as it is: restore it from a backup, or \
         remove it, and the same key is made again"
    )]
    AttestationKey {
        /// The file.
        file: PathBuf,
        /// The error in it.
        reason: UnsealError,
    },
    /// A file is missing in another user's directory.
    #[error(
        "{0} does not exist yet; the next start of the quote service creates it, or any use of the \
         platform by its user"
    )]
    Incomplete(PathBuf),
    /// A file about the TCB is damaged.
    #[error(
        "{file} cannot be used: {reason}; it was left as it is: restore it from a backup, or revert \
         all TCB recoveries (`quote-helper platform tcb --reset`)",
        reason = json_error(reason)
    )]
    DamagedTcb {
        /// The file.
        file: PathBuf,
        /// The error in it.
        reason: serde_json::Error,
    },
    /// Too many TCB recoveries or microcode updates.
    #[error("{0}; revert them to start again (`quote-helper platform tcb --reset`)")]
    Microcode(#[from] MicrocodeError),
    /// An error of the operating system.
    #[error("cannot {action} {path}: {reason}; check its permissions and the space on its disk")]
    Io {
        /// The failed action.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The error of the operating system.
        reason: io::Error,
    },
    /// Other users could change the platform's files.
    #[error(transparent)]
    NotPrivate(#[from] NotPrivate),
    /// The files are valid, but the platform cannot be created.
    #[error(transparent)]
    Platform(#[from] PlatformError),
}
