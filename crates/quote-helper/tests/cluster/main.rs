//! The add-on and the device plugin on a real cluster, one test at a time. `just cluster-test`
//! starts the repository's own test cluster, or uses that of `KUBECONFIG`, without the tests that
//! run programs on a node.

#![cfg(test)]
#![allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

mod add_on;
mod admission;
mod cluster;
mod device_plugin;
mod node;
mod pod;

/// Enclave memory in MiB, in the default profile.
const EPC: &str = "kubernetes.azure.com/sgx_epc_mem_in_MiB";
/// Enclave memory in bytes, in the profile `intel`.
const INTEL_EPC: &str = "sgx.intel.com/epc";
/// Access to the enclave device, for EPC in the node's status.
const ENCLAVE: &str = "sgx.intel.com/enclave";
/// Access to the provisioning device.
const PROVISION: &str = "sgx.intel.com/provision";
