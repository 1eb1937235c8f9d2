//! Injection of the settings that pods with enclaves need: a function from pod to pod.
//!
//! Pods without enclave memory (EPC) stay as they are. Injection only adds: existing settings win,
//! and injecting twice has the effect of injecting once.

mod container;
mod device_nodes;
mod epc;
mod inspection;
mod objects;
pub mod quantity;
mod quote_provider;
mod relevant;
mod socket;
mod tolerations;
mod users;
mod warnings;

pub(crate) use epc::EPC_ANNOTATION;
pub use epc::pod_request;
pub use inspection::{
    MissingSettings, containers_without_socket, missing_settings, refuses_injection,
    uses_node_quote_service,
};
pub use objects::{ObjectError, SourceText, inject_object};
pub use quote_provider::{INJECT_LABEL, QUOTE_PROVIDER_ANNOTATION};
pub use relevant::ReadError;
pub use users::shared_users;
pub use warnings::is_sgx_resource;

use std::ops::RangeInclusive;
use std::path::PathBuf;

use json_patch::Patch;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;

use crate::device_plugin::EpcAccounting;
use relevant::RelevantPod;

/// The properties of the cluster that pods are for.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The nodes' directory with the quote service's socket.
    pub aesm_dir: PathBuf,
    /// True if the device plugin mounts the socket's directory into every container with EPC, so
    /// that pods need no volume for it.
    pub socket_by_device_plugin: bool,
    /// The counter of EPC in MiB: where it is the API server, a resource of its own gives
    /// containers the device node.
    pub epc_accounting: EpcAccounting,
    /// True if the nodes have a quote service.
    pub has_quote_service: bool,
    /// The users of the add-on's pods, which applications must not share.
    pub add_on_uids: RangeInclusive<u32>,
}

/// A pod with injected settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Injection {
    /// The pod.
    pub pod: Pod,
    /// Warnings for the pod's author, each with a fix.
    pub warnings: Vec<String>,
}

/// Adds the settings that the pod needs.
#[must_use]
pub fn inject(mut pod: Pod, settings: &Settings) -> Injection {
    let quote_provider = quote_provider::annotated(&pod.metadata).map(str::to_owned);
    let uses_quote_service = quote_provider::is_quote_service(&pod.metadata);
    if let Some(spec) = &mut pod.spec {
        device_nodes::request(spec, quote_provider.as_deref(), settings.epc_accounting);
        if uses_quote_service {
            quote_provider::point_to_quote_service(spec);
            socket::mount(spec, settings);
        }
        tolerations::tolerate(spec);
        epc::annotate(&mut pod.metadata, spec);
    }
    let warnings = warnings::of(&pod, settings);
    Injection { pod, warnings }
}

/// A JSON patch (RFC 6902), and warnings for the pod's author.
pub type PatchAndWarnings = (Patch, Vec<String>);

/// The JSON patch (RFC 6902) for a pod in JSON, and warnings. Unknown fields are not touched.
/// Parsing and injection allocate at most `memory` bytes, whatever the pod's size.
///
/// # Errors
/// [`ReadError`] if this is not a pod, or it needs more memory.
pub fn patch_json(
    json: &str,
    settings: &Settings,
    memory: usize,
) -> Result<PatchAndWarnings, ReadError> {
    let RelevantPod { pod, has_metadata } = relevant::read(json, memory)?;
    Ok(patch(pod, has_metadata, settings)?)
}

/// The patch for the object that the pod was parsed from.
fn patch(
    pod: Pod,
    has_metadata: bool,
    settings: &Settings,
) -> Result<PatchAndWarnings, serde_json::Error> {
    let before = json(&pod, has_metadata)?;
    let Injection { pod, warnings } = inject(pod, settings);
    let has_metadata = has_metadata || pod.metadata != ObjectMeta::default();
    Ok((json_patch::diff(&before, &json(&pod, has_metadata)?), warnings))
}

/// The pod in JSON. A typed pod always has metadata; if its object has none the patch must create
/// them.
fn json(pod: &Pod, has_metadata: bool) -> Result<Value, serde_json::Error> {
    let mut json = serde_json::to_value(pod)?;
    if let Some(fields) = json.as_object_mut().filter(|_| !has_metadata) {
        fields.remove("metadata");
    }
    Ok(json)
}
