//! Earlier releases: their settings, state, results, metrics, C programs and installations work
//! with this version. docs/compatibility.md has the rules, `tests/releases` the records.

#![cfg(test)]
#![allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

mod add_on;
mod c_interface;
mod command_line;
mod debug_info;
mod exit_codes;
mod hand_over;
mod json;
mod metrics;
mod on_disk;
mod settings;
mod state;
#[path = "../cli/support.rs"]
#[allow(dead_code, reason = "a part of it is used")]
mod support;
