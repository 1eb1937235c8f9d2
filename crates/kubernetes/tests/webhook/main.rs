//! A real webhook over TLS, with an API server that is of the tests.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod api_server;
mod certificates;
mod connections;
mod hostile_reviews;
mod reviews;
mod slow_clients;
mod webhook;
