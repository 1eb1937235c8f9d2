//! What a pod with enclaves needs and its author may leave out: a function from pod to pod.
//!
//! A pod that asks for no enclave memory (EPC) is left as it is, and of any pod nothing is changed or
//! removed, only added to. What is there already stays; injecting a second time adds nothing.

mod container;
mod device_nodes;
mod epc;
mod objects;
pub mod quantity;
mod quote_provider;
mod relevant;
mod socket;
mod tolerations;
mod users;
mod warnings;

pub use epc::pod_request;
pub use objects::{ObjectError, SourceText, inject_object};
pub use quote_provider::{INJECT_LABEL, QUOTE_PROVIDER_ANNOTATION};
pub use relevant::ReadError;
pub use users::shared_users;

use std::ops::RangeInclusive;
use std::path::PathBuf;

use json_patch::Patch;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;

use crate::device_plugin::EpcAccounting;
use relevant::RelevantPod;

/// What is so in the cluster that pods are made for.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The nodes' directory with the quote service's socket.
    pub aesm_dir: PathBuf,
    /// Whether the device plugin gives the socket's directory to every container that gets EPC, so that no
    /// pod needs a volume for it.
    pub socket_by_device_plugin: bool,
    /// Who counts EPC in MiB: where the API server does, containers get the device node by a resource of its
    /// own.
    pub epc_accounting: EpcAccounting,
    /// Whether nodes have a quote service.
    pub has_quote_service: bool,
    /// The users that the add-on's pods run as, and no application should.
    pub add_on_uids: RangeInclusive<u32>,
}

/// A pod with what it needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Injection {
    /// The pod.
    pub pod: Pod,
    /// What its author should know: what, where, and what to do, a sentence each.
    pub warnings: Vec<String>,
}

/// Adds to the pod what it needs.
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

/// A JSON patch (RFC 6902) and what the pod's author should know.
pub type PatchAndWarnings = (Patch, Vec<String>);

/// The JSON patch (RFC 6902) that adds to a pod in JSON what it needs, and the warnings. Fields that are not
/// known here stay as they are. Reading and injecting take no more memory than `memory`, in bytes, however
/// large the pod is.
///
/// # Errors
/// [`ReadError`] if this is no pod, or one that needs more memory.
pub fn patch_json(
    json: &str,
    settings: &Settings,
    memory: usize,
) -> Result<PatchAndWarnings, ReadError> {
    let RelevantPod { pod, has_metadata } = relevant::read(json, memory)?;
    Ok(patch(pod, has_metadata, settings)?)
}

/// The patch for the object that the pod was read from.
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

/// The pod in JSON. A typed pod always has metadata, but the object that it was read from need not: a patch
/// must add them then, rather than to add to them.
fn json(pod: &Pod, has_metadata: bool) -> Result<Value, serde_json::Error> {
    let mut json = serde_json::to_value(pod)?;
    if let Some(fields) = json.as_object_mut().filter(|_| !has_metadata) {
        fields.remove("metadata");
    }
    Ok(json)
}
