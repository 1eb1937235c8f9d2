//! Sockets in the file system, and hand-overs between instances in one process.

#![cfg(test)]
#![allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

mod bound_socket;
mod handover;
