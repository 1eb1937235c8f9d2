//! Set-up that the tests and benchmarks of several crates share. Only they depend on it.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

pub mod c_programs;
pub mod header;
pub mod provider;
pub mod sample;
pub mod shared_object;
