//! Listening Unix sockets: bound in one step, open to chosen users, handed over to a successor.
//!
//! ```text
//! listening_socket.rs  the socket of a service, from its start to its end; read this first
//! activation.rs        sockets that the service manager has opened
//! bound_socket.rs      a socket's file: bound beside its path, renamed over it, removed on drop
//! socket_file.rs       the identity of the file at a path
//! access.rs            the users who may connect
//! peer.rs              peer credentials (SO_PEERCRED)
//! handover.rs          the sockets go from a running instance to its successor
//! ```

mod access;
mod activation;
mod bound_socket;
pub mod handover;
mod listening_socket;
mod open_error;
mod peer;
mod socket_file;

pub use access::SocketAccess;
pub use activation::{Activation, ActivationError};
pub use bound_socket::{BindError, BoundSocket};
pub use listening_socket::{
    ListeningSocket, ServingSocket, SocketEnd, SocketOptions, SocketSource,
};
pub use open_error::OpenError;
pub use peer::Peer;
pub use socket_file::{FileId, FileState, SocketFile};
