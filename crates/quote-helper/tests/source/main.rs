//! Rules for the source: dependencies, imports, unsafe code, inputs and prose.
#![cfg(test)]
#![allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

mod directions;
mod files;
mod imports;
mod inputs;
mod prose;
mod specification;
mod versions;
