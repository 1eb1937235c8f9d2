//! Rules for the source: dependencies, imports, unsafe code, inputs and prose.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "outside #[test] functions too, a test fails by panicking"
)]

mod directions;
mod files;
mod imports;
mod inputs;
mod prose;
mod specification;
