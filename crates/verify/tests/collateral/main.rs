//! Single pieces of collateral: accepted as they came and in their time, refused otherwise.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test that stumbles is a test that fails"
)]

#[path = "../common/mod.rs"]
mod common;

mod assessment;
mod damaged;
mod issuers;
mod json;
mod pieces;
mod recorded;
mod software;
