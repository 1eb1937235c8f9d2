//! The program as its users run it: arguments and files in; exit code, results and notes out.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "outside #[test] functions too, a test fails by panicking"
)]

mod advice;
mod alerts;
mod attacker;
mod audit;
mod check;
mod check_cluster;
mod chown;
mod collateral;
mod collateral_serve;
mod completion;
mod crowded_http;
mod demo_and_load;
mod device_plugin;
mod evidence;
mod fairness;
mod files;
mod generated;
mod hand_over;
mod hardening;
mod health;
mod hostile_text;
mod inject;
mod inspect;
mod json;
mod malicious_successor;
mod manifests;
mod memory_group;
mod metrics;
mod node_processes;
mod output_streams;
mod platform;
mod platform_choice;
mod platform_tcb;
mod probe;
mod production_quote;
mod quote;
mod quotes_without_upstream;
mod reload;
mod servers;
mod settings;
mod socket;
mod standard_streams;
mod state;
mod stop;
mod support;
mod systemd;
mod top;
mod usage;
mod verify;
mod webhook;
mod webhook_memory;
mod workers;
mod wrong_inputs;
