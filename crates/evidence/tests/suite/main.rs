//! Quotes in all the forms in which people keep them.

#![cfg(test)]
#![allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

mod bounds;
mod corpus;
mod samples;
mod table;
