//! The cache of collateral, its sources and its settings.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod bundle;
mod cache;
mod cache_directory;
mod common;
mod hostile_upstream;
mod recorded;
mod rollback;
mod service;
mod settings;
mod upstream;
