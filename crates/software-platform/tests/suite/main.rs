//! The software platform, its certificates and collateral, checked by other implementations.

#![cfg(test)]
#![allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

mod by_hand;
mod certificates;
mod collateral;
mod deployment;
mod egetkey;
mod quote;
mod report;
mod state;
mod tcb;
