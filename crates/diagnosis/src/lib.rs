//! Facts about a machine, a container or a cluster that makes quotes, and findings: each one with a
//! fix if something is wrong.
//!
//! A part of the subject is a file: a structure of facts, which `gather` fills, and a function from
//! facts to findings, so that tests need neither the machine nor the cluster. Nothing is changed.

mod cluster;
mod diagnosis;
mod expiry;
mod finding;
mod host;
mod machine;
mod pod;
mod quote_service;
#[cfg(test)]
mod recorded;

pub use cluster::check_cluster;
pub use diagnosis::{Diagnosis, Subject};
pub use finding::{Finding, Section, Status};
pub use machine::check_machine;
pub use pod::check_pod;
pub use quote_service::{CollateralLookup, QuoteServiceTarget};
