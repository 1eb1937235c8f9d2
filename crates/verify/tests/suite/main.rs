//! Verdicts and the checks of single pieces, against public samples and other verifiers.

#![cfg(test)]
#![allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

mod collateral;
mod common;
mod differential;
mod policy;
mod production_quote;
mod roots;
mod sig_struct;
mod steps;
mod tampering;
mod td_policy;
mod tdx;
