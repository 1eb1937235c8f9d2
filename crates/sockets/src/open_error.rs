//! The reasons for which a starting instance gets no socket.

use std::path::PathBuf;

use crate::bound_socket::BindError;
use crate::handover::PrivateFilesError;

/// The reason for which a starting instance gets no socket.
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
        "another service is listening at {}: {holder}. Stop it first (an aesmd of the system, or an \
         instance with another state directory, maybe?), choose another path, or take its place with \
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
        "the instance that serves at {}, {holder}, is of an earlier version: it would give its sockets to \
         any process of its user, so that this one takes none from it. Stop it first, or take its place \
         with --take-over", .path.display()
    )]
    Earlier {
        /// The path of the socket.
        path: PathBuf,
        /// The process that listens.
        holder: String,
    },
    /// An instance keeps its sockets.
    #[error(
        "the instance that serves at {}, {holder}, does not hand over: {reason}. Stop it first, or take its \
         place with --take-over", .path.display()
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
        "another instance is starting and does not come to an end: it holds {}. Stop it first, or go on \
         all the same with --take-over", .0.display()
    )]
    Locked(PathBuf),
}
