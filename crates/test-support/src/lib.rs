//! Set-up that the tests and benchmarks of several crates share. Only they depend on it.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

pub mod c_programs;
pub mod grpc;
pub mod header;
pub mod provider;
pub mod release;
pub mod sample;
pub mod shared_object;
pub mod sig_struct;

use std::process::{Command, Output};

/// Runs a command that must succeed, and returns its standard output.
pub fn succeeded(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let errors = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{command:?}: {status}\n{errors}");
    String::from_utf8(stdout).unwrap()
}
