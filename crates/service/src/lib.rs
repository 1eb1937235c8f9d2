//! The quote service as a library: it serves a [`ServedQuoter`](quoting::ServedQuoter) to AESM
//! clients.
//!
//! ```text
//! accept.rs      accepts connections; stops; waits for those that were accepted
//! caller.rs      callers, and fairness among them
//! connection.rs  connections, from accept to close
//! handler.rs     one request, from its bytes to its reply
//! admission.rs   bounds the quotes that take time; a full queue is AESM_BUSY
//! workers.rs     quotes from child processes, which may crash
//! audit.rs       the audit log: callers, enclaves and results
//! rules.rs       limits and policy, which can be changed while the service runs
//! ```
//!
//! One thread does everything but quotes that take time, so that no other request waits for those.

mod accept;
mod admission;
mod audit;
mod caller;
mod connection;
mod handler;
mod limits;
mod metrics;
mod policy;
mod rules;
mod workers;

pub use accept::{StopReason, serve};
pub use handler::MAX_QUOTE_BUFFER;
pub use limits::Limits;
pub use metrics::Metrics;
pub use policy::Policy;
pub use rules::Rules;
pub use workers::{WorkerOptions, WorkerQuoter, run_worker};
