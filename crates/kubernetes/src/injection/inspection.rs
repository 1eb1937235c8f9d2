//! The state of pods that are in a cluster already.

use k8s_openapi::api::core::v1::{Container, Pod, PodSpec};

use super::container::{self, SGX_AESM_ADDR};
use super::quote_provider::{INJECT_LABEL, is_aesmd, is_quote_service};
use super::{Settings, inject};
use crate::device_plugin::{AESM_DIR, ENCLAVE_RESOURCE, PROVISION_RESOURCE};

/// The settings of a container that injection would add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingSettings {
    /// The container.
    pub container: String,
    /// Names of resources, variables and directories.
    pub settings: Vec<&'static str>,
}

/// The settings that a pod lacks because admission did not see it, container by container. Settings
/// without an effect on a container that runs, such as tolerations, do not count.
#[must_use]
pub fn missing_settings(pod: &Pod, settings: &Settings) -> Vec<MissingSettings> {
    let injected = inject(pod.clone(), settings).pod.spec;
    let (Some(before), Some(after)) = (&pod.spec, &injected) else { return Vec::new() };
    let containers = container::all(before).zip(container::all(after));
    let missing = containers.map(|(before, after)| MissingSettings {
        container: before.name.clone(),
        settings: added(before, after),
    });
    missing.filter(|missing| !missing.settings.is_empty()).collect()
}

fn added(before: &Container, after: &Container) -> Vec<&'static str> {
    let has = |container: &Container| {
        [
            (ENCLAVE_RESOURCE, container::quantity_of(container, ENCLAVE_RESOURCE).is_some()),
            (PROVISION_RESOURCE, container::quantity_of(container, PROVISION_RESOURCE).is_some()),
            (SGX_AESM_ADDR, container::aesm_variable(container).is_some()),
            (AESM_DIR, container::mounts_socket(container)),
        ]
    };
    let both = has(before).into_iter().zip(has(after));
    both.filter(|((_, before), (_, after))| after & !before).map(|((name, _), _)| name).collect()
}

/// True if a container of the pod uses the quote service of its node.
#[must_use]
pub fn uses_node_quote_service(pod: &Pod) -> bool {
    let Some(spec) = &pod.spec else { return false };
    let has_variable = |container| container::aesm_variable(container).is_some();
    (is_quote_service(&pod.metadata) || container::all(spec).any(has_variable))
        && !container::all(spec).any(is_aesmd)
}

/// The containers with `SGX_AESM_ADDR` that get no socket: neither a resource of the device plugin
/// nor a volume brings it.
pub fn containers_without_socket(spec: &PodSpec) -> impl Iterator<Item = &Container> {
    let has_own_service = container::all(spec).any(is_aesmd);
    container::all(spec).filter(move |container| {
        container::aesm_variable(container).is_some()
            && !has_own_service
            && !container::has_epc(container)
            && container::quantity_of(container, ENCLAVE_RESOURCE).is_none()
            && !container::mounts_socket(container)
    })
}

/// True if the pod's label keeps admission from changing it.
#[must_use]
pub fn refuses_injection(pod: &Pod) -> bool {
    let label = pod.metadata.labels.as_ref().and_then(|labels| labels.get(INJECT_LABEL));
    label.is_some_and(|label| label == "false")
}
