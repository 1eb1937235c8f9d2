//! The wire and the client, through the crate's public interface.

#![cfg(test)]
#![allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

mod client;
mod messages;
mod requests;
