//! Layouts, code tables and quotes, against Intel's numbers.

#![cfg(test)]
#![allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

mod certification_data;
mod error_tables;
mod layouts;
mod quote;
mod td_report;
