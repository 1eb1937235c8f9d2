//! The add-on and the device plugin with a real kubelet, that of a test cluster of one node, which
//! is this machine. `just cluster-test` starts it. Tests run one at a time, since all offer the EPC
//! of the same node.
//!
//! Device nodes are stand-ins, see [`host`].

#![cfg(test)]
#![allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

mod add_on;
mod cluster;
mod containers;
mod health;
mod host;
mod large;
mod metrics;
mod node_status;
mod plugin;
mod pod;
mod program;
mod quotes;
mod resources;
mod restarts;
mod scheduling;

/// Enclave memory in MiB, in the default profile.
const EPC: &str = "kubernetes.azure.com/sgx_epc_mem_in_MiB";
/// Enclave memory in bytes, in the profile `intel`.
const INTEL_EPC: &str = "sgx.intel.com/epc";
/// Access to the enclave device, for EPC in the node's status.
const ENCLAVE: &str = "sgx.intel.com/enclave";
/// Access to the provisioning device.
const PROVISION: &str = "sgx.intel.com/provision";
