//! Layouts, code tables and quotes, against Intel's numbers.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod certification_data;
mod error_tables;
mod layouts;
mod quote;
mod td_report;
