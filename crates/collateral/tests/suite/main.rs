//! The cache of collateral, its sources and its settings.

#![cfg(test)]
#![allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

mod bundle;
mod cache;
mod cache_directory;
mod common;
mod hostile_upstream;
mod recorded;
mod rollback;
mod service;
mod settings;
mod upstream;
