//! The software platform, its certificates and collateral, checked by other implementations.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod by_hand;
mod certificates;
mod collateral;
mod deployment;
mod egetkey;
mod quote;
mod report;
mod state;
mod tcb;
