//! Verdicts and the checks of single pieces, against public samples and other verifiers.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod collateral;
mod common;
mod differential;
mod policy;
mod production_quote;
mod roots;
mod steps;
mod tampering;
mod tdx;
