//! The Kubernetes add-on: device plugin, pod injection, admission webhook, manifests, installation.

pub mod api;
pub mod api_server;
pub mod device_plugin;
pub mod injection;
pub mod installation;
pub mod manifests;
pub mod pod_problem;
pub mod webhook;
