//! A real service, asked over its socket.
//!
//! Most of this runs over every Quoter that a service may have; see [`every_quoter`].

#![cfg(test)]
#![allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

mod every_quoter;
mod fortanix_client;
mod limits;
mod protocol;
mod quoters;
mod recorded_clients;
mod stop;
mod support;
mod tcb_recovery;
mod workers;
