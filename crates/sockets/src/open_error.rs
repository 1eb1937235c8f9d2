//! Errors of a starting instance that gets no socket.

use std::path::PathBuf;

use crate::bound_socket::BindError;
use crate::handover::PrivateFilesError;

/// A starting instance gets no socket.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A path cannot be used.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The state directory cannot be used.
    #[error(transparent)]
    PrivateFiles(#[from] PrivateFilesError),
    /// A service without hand-over listens.
    #[error(
        "another service is listening at {}: {holder}. Stop it first (the system's aesmd, or an \
         instance with another state directory), choose another path, or replace it with \
         --take-over", .path.display()
    )]
    Occupied {
        /// The path of the socket.
        path: PathBuf,
        /// The process that listens.
        holder: String,
    },
    /// An instance of a version without a secret listens.
    #[error(
        "an instance of an earlier version serves at {}: {holder}. It does not authenticate \
         successors, so it gets no hand-over request. Stop it first, or replace it with \
         --take-over", .path.display()
    )]
    Earlier {
        /// The path of the socket.
        path: PathBuf,
        /// The process that listens.
        holder: String,
    },
    /// An instance keeps its sockets.
    #[error(
        "the instance that serves at {}, {holder}, does not hand over: {reason}. Stop it first, or \
         replace it with --take-over", .path.display()
    )]
    Refused {
        /// The path of the socket.
        path: PathBuf,
        /// The process that listens.
        holder: String,
        /// Its reason, or the failure of the hand-over.
        reason: String,
    },
    /// Another instance is starting.
    #[error(
        "another instance has been starting for 30 s: it holds the lock {}. Stop it first, or \
         ignore it with --take-over", .0.display()
    )]
    Locked(PathBuf),
}
