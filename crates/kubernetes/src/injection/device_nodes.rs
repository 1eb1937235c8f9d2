//! The resources of device nodes, where EPC does not include them.

use k8s_openapi::api::core::v1::{Container, PodSpec};

use super::container;
use crate::device_plugin::{ENCLAVE_RESOURCE, EpcAccounting, PROVISION_RESOURCE, ResourceProfile};

/// Requests the device nodes that containers with EPC need, and the provision device for the
/// container that the annotation names as the pod's quote provider.
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
