//! The quote service as a library: it serves a [`Quoter`](quoting::Quoter) to AESM clients.
//!
//! ```text
//! listener.rs     accepts, up to a limit; stops; waits for what was accepted
//! connection.rs   one frame in, one frame out, within limits and deadlines
//! handler.rs      one request: bytes become sgx types here, or are refused here
//! quote_queue.rs  quotes wait here for a thread, and for nothing else; full is AESM_BUSY
//! ```
//!
//! Only quotes are queued. Everything else a client asks is answered on the spot, so that it never
//! waits behind a quote.

mod bind;
mod connection;
mod handler;
mod limits;
mod listener;
mod metrics;
mod metrics_server;
mod quote_queue;

pub use bind::{BindError, BoundSocket};
pub use handler::MAX_QUOTE_BUFFER;
pub use limits::Limits;
pub use listener::serve;
pub use metrics::Metrics;
pub use metrics_server::serve_metrics;
