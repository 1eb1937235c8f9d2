//! The conformance run, through the crate's public interface.

#![cfg(test)]
#![allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

mod broken;
mod recordings;
mod service;
mod support;
