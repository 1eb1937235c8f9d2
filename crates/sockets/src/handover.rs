//! The hand-over: a new instance gets the sockets of the running one, without a client noticing.
//!
//! The private state directory has a control socket for the successor. There a new instance proves
//! that it has the secret of that directory, and receives the descriptors of the sockets. Both
//! instances accept clients until the new one reports that it serves; only then the old one stops.
//! So a failed hand-over has no effect, and the file of the applications' socket stays the same.
//! The applications' directory is not used, since it may be mounted into any container.
//!
//! ```text
//!   new                                old
//!    │  Hello, with a nonce             │ serves
//!    │ ───────────────────────────────► │
//!    │      Challenge: a nonce, a proof │
//!    │ ◄─────────────────────────────── │
//!    │  HandOver, with a proof          │
//!    │ ───────────────────────────────► │
//!    │      Sockets, with descriptors   │
//!    │ ◄─────────────────────────────── │
//!    │ serves                           │
//!    │  Serving                         │
//!    │ ───────────────────────────────► │
//!    │                           Ended  │
//!    │ ◄─────────────────────────────── │ finishes the requests that it has accepted
//! ```
//!
//! ```text
//! successor.rs        a starting instance: receives the sockets, has the running one stop
//! predecessor.rs      a running instance: has a control socket, notices the loss of its sockets
//! serve_successor.rs  sends the sockets to a successor
//! guard.rs            keeps shared listening sockets from blocking the thread that accepts
//! start_lock.rs       one instance starts at a time
//! private_files.rs    the files in the state directory by which instances meet
//! secret.rs           the proof that a peer may have the sockets
//! channel.rs          messages and descriptors between the two
//! message.rs          the bytes of a message
//! counters.rs         the metric of hand-overs
//! ```

mod channel;
mod counters;
mod guard;
mod message;
mod predecessor;
mod private_files;
mod secret;
mod serve_successor;
pub(crate) mod start_lock;
pub(crate) mod successor;

pub use counters::HandoverCounters;
pub use message::{FRAME_SIZE, Malformed, Message};
pub use predecessor::{HandoverServer, SocketLoss, Successor};
pub use private_files::{PRIVATE_DIRECTORY, PrivateFiles, PrivateFilesError};
pub use secret::{Nonce, Nonces, Proof, Role, Secret, SecretError};
pub use successor::TakeoverRefused;
