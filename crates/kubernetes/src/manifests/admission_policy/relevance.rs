//! Conditions in CEL for pods that concern the add-on. The API server evaluates them for each new
//! pod, and calls nothing for others. They use only functions of Kubernetes 1.28.

use serde_json::json;

use crate::device_plugin::ResourceProfile;
use crate::injection::QUOTE_PROVIDER_ANNOTATION;

/// The containers and init containers. Ephemeral containers cannot have resources.
const CONTAINERS: &str = "(has(object.spec.initContainers) ? object.spec.initContainers : [])\n\
    + (object.spec.containers == null ? [] : object.spec.containers)";

/// True for pods that request EPC under any name.
pub(crate) fn requests_epc() -> String {
    let names: Vec<_> = ResourceProfile::epc_resources().collect();
    has_limit(&format!("name in {}", json!(names)))
}

/// True for pods that are written for SGX but need not request EPC: by the annotation, by a
/// resource with a similar name, or by the variable of applications with enclaves.
pub(crate) fn mentions_sgx() -> String {
    let limit = has_limit("name.matches('(?i)sgx')");
    format!(
        "(has(object.metadata.annotations) && {} in object.metadata.annotations)\n\
         || (has(object.metadata.labels) && object.metadata.labels.exists(name, \
         name.contains('sgx')))\n\
         || {limit}\n\
         || ({CONTAINERS}).exists(container, has(container.env) && container.env.exists(variable, \
         variable.name == 'SGX_AESM_ADDR'))",
        json!(QUOTE_PROVIDER_ANNOTATION)
    )
}

/// True for pods with a limit that meets the condition on its `name`.
fn has_limit(condition: &str) -> String {
    format!(
        "({CONTAINERS}).exists(container, has(container.resources)\n\
         && has(container.resources.limits)\n\
         && container.resources.limits.exists(name, {condition}))"
    )
}
