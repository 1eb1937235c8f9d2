//! Connections, from accept to close.
//!
//! ```text
//! connection/inline.rs             serves without registering with the runtime
//! connection/task.rs               a connection that stays open: waits, within deadlines
//! connection/exchange.rs           one frame in, one frame out; says what it needs to go on
//! connection/oversized_request.rs  requests that are too large to keep
//! ```

mod exchange;
mod inline;
mod oversized_request;
mod task;

pub(crate) use inline::Connections;
