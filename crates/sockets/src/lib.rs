//! Listening Unix sockets: bound in one step, open to chosen users, handed over to a successor.
//!
//! ```text
//! handover.rs      the listening socket of a service: where it comes from and who gets it next
//! bound_socket.rs  a socket's file: bound beside its path, renamed over it, removed in the end
//! access.rs        the users who may connect
//! peer.rs          peer credentials (SO_PEERCRED)
//! ```

mod access;
mod bound_socket;
pub mod handover;
mod peer;

pub use access::SocketAccess;
pub use bound_socket::{BindError, BoundSocket, FileId};
pub use peer::Peer;
