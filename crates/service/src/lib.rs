//! The quote service as a library: it serves a [`Quoter`](quoting::Quoter) to AESM clients.
//!
//! ```text
//! listener.rs     accepts, up to a limit; stops; waits for what was accepted
//! client.rs       who has connected, and the connection that it holds
//! caller.rs       peer credentials, and the tenant that a process belongs to
//! shared_limit.rs connections and quotes, shared by tenants; who gives way when there are no more
//! flows.rs        the turns in which tenants are served while several ask
//! guests.rs       serves on the spot, or as soon as the quote is there
//! connection.rs   one frame in, one frame out; says what it needs to go on
//! waiting.rs      waits for clients that stay, within the deadlines, and for their turn
//! handler.rs      one request: bytes become SGX types here, or are refused here
//! quote_queue.rs  quotes that take their time wait here, callers in turns; full is AESM_BUSY
//! rules.rs        what can be changed while the service runs
//! audit.rs        who asked for which quote, and what came of it
//! workers.rs      quotes from child processes, which may die
//! ```
//!
//! One thread does all but the quotes that take their time. Everything else a client asks for is
//! answered on the spot, so that it never waits behind such a quote.

mod audit;
mod caller;
mod client;
mod connection;
mod failure;
mod fair_queue;
mod flows;
mod guests;
mod handler;
mod limits;
mod listener;
mod metrics;
mod oversized_request;
mod policy;
mod quote_queue;
mod rules;
mod shared_limit;
mod waiting;
mod workers;

pub use handler::MAX_QUOTE_BUFFER;
pub use limits::Limits;
pub use listener::{Stop, serve};
pub use metrics::Metrics;
pub use policy::Policy;
pub use rules::Rules;
pub use workers::{WorkerOptions, WorkerQuoter, work};
