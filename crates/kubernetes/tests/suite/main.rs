//! The add-on, with a fake kubelet and API server.

#![cfg(test)]
#![allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

mod clock;
mod device_plugin;
mod generated;
mod injection;
mod installation;
mod manifests;
mod webhook;
