//! Checks machines, containers and clusters that make quotes, without changing anything.
//!
//! Each file has the facts of one part, filled by `gather`, and a function from facts to findings.
//! So tests need neither the machine nor the cluster.

mod cluster;
mod diagnosis;
mod expiry;
mod finding;
#[cfg(test)]
mod fixtures;
mod host;
mod machine;
mod mounts;
mod pod;
mod quote_service;

pub use cluster::check_cluster;
pub use diagnosis::{Diagnosis, Subject};
pub use finding::{Finding, Section, Status};
pub use machine::check_machine;
pub use pod::check_pod;
pub use quote_service::{CollateralLookup, QuoteServiceTarget};
