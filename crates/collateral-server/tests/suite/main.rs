//! The collateral server over HTTP, as its clients see it.

#![cfg(test)]
#![allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

mod administration;
mod appraisal_policy;
mod authority;

mod client;
mod exchange;
mod full;
mod http;
mod lazy;
mod mistakes;
mod openssl_certificates;
mod pcs;
mod platform_collateral;
mod recorded_requests;
mod software;
mod software_pcs;
mod tdx;
mod tls;
mod upload;
mod verifier;
