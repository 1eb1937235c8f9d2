//! Faults around the service, and their effect on applications: the real program, and Fortanix's
//! published client. `just faults`, `just never-down` and `just soak` run them. Each takes minutes;
//! one test at a time gives comparable figures.

#![cfg(test)]
#![allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "measurements are for the reader")]

mod application;
mod clock;
mod descriptors;
mod directories;
mod disk;
mod fault;
mod instances;
mod killed;
mod load;
mod log;
mod memory;
#[path = "../cli/memory_group.rs"]
mod memory_group;
mod never_down;
#[path = "../compatibility/on_disk.rs"]
mod on_disk;
mod previous_release;
mod site;
mod soak;
mod state_files;
mod stopped;
#[path = "../cli/support.rs"]
#[allow(dead_code, reason = "a part of it is used")]
mod support;
mod trouble;
