//! The parts for Kubernetes. So far that is the SGX device plugin.

pub mod api;
pub mod device_plugin;
