//! The parts for Kubernetes.

pub mod api;
pub mod device_plugin;
pub mod injection;
pub mod installation;
pub mod manifests;
pub mod webhook;
