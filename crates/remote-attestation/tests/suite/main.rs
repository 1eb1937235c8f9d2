//! The sample application, its library and its program, with a real quote service and real files.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "outside #[test] functions too, a test fails by panicking"
)]

mod enclaves;
mod hostile_peers;
mod machine;
mod program;
mod samples;
