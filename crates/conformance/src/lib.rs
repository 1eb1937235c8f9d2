//! The conformance run: the requests of each supported client, sent to a quote service as that
//! client sends them, and the check of each reply against what that client requires.
//!
//! [`FLOWS`] is the data: a [`Flow`] for each client, with its [`Step`]s. [`run`] sends them to any
//! AESM service, and returns a [`Conformance`] with the outcome of each step. A service that
//! stalls, closes the connection or sends garbage is an outcome too, never an error.
//!
//! ```text
//! flow.rs           a client's requests and requirements, as data
//! flows/            the flows of the clients
//! conversation.rs   one client: fills in the requests from earlier replies, and judges replies
//! exchange.rs       one request and its reply, as the client writes and reads them
//! requirement.rs    the check of a reply
//! conformance.rs    all clients, and the outcome
//! ```
//!
//! The REPORT in the requests is made by a software enclave. The software platform makes a quote of
//! it; a real Quoting Enclave refuses it with `AESM_INVALID_REPORT`, which conforms as well.

mod conformance;
mod conversation;
mod exchange;
mod flow;
mod flows;
mod requirement;

pub use conformance::{
    ClientOutcome, Conformance, Difference, Options, StepOutcome, StepResult, run,
};
pub use conversation::QuoteEvidence;
pub use flow::{
    Flow, KeyId, PubKeyIdBuffer, QuoteBuffer, ReplyRead, ReportFor, RequestTemplate, RequestWrite,
    Step,
};
pub use flows::FLOWS;
pub use requirement::Requirement;
