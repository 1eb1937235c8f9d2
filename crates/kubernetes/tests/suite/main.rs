//! The add-on, with a fake kubelet and API server.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod device_plugin;
mod generated;
mod injection;
mod installation;
mod manifests;
mod webhook;
