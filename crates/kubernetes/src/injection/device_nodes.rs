//! The resources by which a container gets device nodes, where they do not come with the EPC.

use k8s_openapi::api::core::v1::{Container, PodSpec};

use super::container;
use crate::device_plugin::{ENCLAVE_RESOURCE, EpcAccounting, PROVISION_RESOURCE, ResourceProfile};

/// Lets containers with EPC ask for the device nodes that they need; the one that the annotation names as
/// the pod's quote provider makes quotes in its own process.
///
/// Source: the rules of Intel's webhook.
pub(crate) fn request(
    spec: &mut PodSpec,
    quote_provider: Option<&str>,
    epc_accounting: EpcAccounting,
) {
    for container in container::all_mut(spec).filter(|container| container::has_epc(container)) {
        if needs_enclave_resource(container, epc_accounting) {
            container::request_one(container, ENCLAVE_RESOURCE);
        }
        if quote_provider == Some(&container.name) {
            container::request_one(container, PROVISION_RESOURCE);
        }
    }
}

fn needs_enclave_resource(container: &Container, epc_accounting: EpcAccounting) -> bool {
    epc_accounting == EpcAccounting::NodeStatus
        || container::has_epc_of(container, ResourceProfile::Intel)
}
