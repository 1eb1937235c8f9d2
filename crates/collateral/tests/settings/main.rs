//! Settings: what each of them does, which of them win, and what is said of those that are wrong.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod azdcap;
mod cache;
mod damage;
mod own;
mod place;
mod precedence;
mod qcnl;
mod this_machine;
mod urls;
mod words;
