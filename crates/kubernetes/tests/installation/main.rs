//! A real installer, with an API server that is of the tests.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod api_server;
mod claims;
mod failures;
mod installer;
mod installs;
mod previews;
mod removals;
mod request;
mod store;
mod waits;
