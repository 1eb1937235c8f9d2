//! The Quoters, against services and libraries that fail.

#![cfg(test)]
#![allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

mod aesm_quoter;
mod dcap;
