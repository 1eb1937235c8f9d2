//! The quote provider of a pod.

use k8s_openapi::api::core::v1::{Container, EnvVar, PodSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::container::{self, SGX_AESM_ADDR};

/// The annotation with the pod's quote provider: `aesmd` for the quote service, or the container
/// that makes quotes in its own process. The same as Intel's.
pub const QUOTE_PROVIDER_ANNOTATION: &str = "sgx.intel.com/quote-provider";
/// The label that is equivalent, with the value `true`, to the annotation `aesmd`. Webhooks can
/// select pods by labels, but not by annotations.
pub const INJECT_LABEL: &str = "sgx-quote-helper/inject";
/// The name of the quote service, and of a container that is one.
pub(crate) const AESMD: &str = "aesmd";

/// The quote provider in a pod's annotation.
pub(crate) fn annotated(metadata: &ObjectMeta) -> Option<&str> {
    let annotation = metadata.annotations.as_ref()?.get(QUOTE_PROVIDER_ANNOTATION)?;
    Some(annotation)
}

/// True if a pod uses a quote service.
pub(crate) fn is_quote_service(metadata: &ObjectMeta) -> bool {
    let label = metadata.labels.as_ref().and_then(|labels| labels.get(INJECT_LABEL));
    annotated(metadata) == Some(AESMD) || label.is_some_and(|label| label == "true")
}

/// True if this container is a quote service.
pub(crate) fn is_aesmd(container: &Container) -> bool {
    container.name == AESMD && container::has_epc(container)
}

/// True if a pod has a quote service for its other containers.
pub(crate) fn has_own_quote_service(spec: &PodSpec) -> bool {
    let is_other = |container: &Container| container::has_epc(container) && !is_aesmd(container);
    container::all(spec).any(is_aesmd) && container::all(spec).any(is_other)
}

/// Makes containers with EPC use a quote service.
pub(crate) fn point_to_quote_service(spec: &mut PodSpec) {
    for container in container::all_mut(spec) {
        let has_variable = container::aesm_variable(container).is_some();
        if container::has_epc(container) && !is_aesmd(container) && !has_variable {
            container.env.get_or_insert_default().push(EnvVar {
                name: SGX_AESM_ADDR.to_owned(),
                value: Some("1".to_owned()),
                ..EnvVar::default()
            });
        }
    }
}
