//! A real device plugin with a fake kubelet, API server and node.
//!
//! Time is simulated, see [`clock`]: the plugin's waits of seconds cost little.

mod allocate;
mod api_server;
mod cdi;
mod golden;
mod health;
mod hostile_peers;
mod instances;
mod kubelet;
mod kubelet_restarts;
mod metrics;
mod node;
mod node_status;
mod numa_nodes;
mod plugin;
mod pod_resources;
mod profiles;
mod quote_service;
mod readiness;
mod sizes;
mod stop;
mod wire;
