//! Who makes a pod's quotes.

use k8s_openapi::api::core::v1::{Container, EnvVar, PodSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::container::{self, SGX_AESM_ADDR};

/// The annotation that names a pod's quote provider: `aesmd` for the quote service, or that of the pod's
/// containers which makes quotes in its own process. As for Intel's webhook.
pub const QUOTE_PROVIDER_ANNOTATION: &str = "sgx.intel.com/quote-provider";
/// The label that with the value `true` says the same as the annotation with `aesmd`. A webhook can select
/// pods by a label, but not by an annotation.
pub const INJECT_LABEL: &str = "sgx-quote-helper/inject";
/// The name of the quote service, and of a container that is one.
pub(crate) const AESMD: &str = "aesmd";

/// The quote provider that a pod's annotation names.
pub(crate) fn annotated(metadata: &ObjectMeta) -> Option<&str> {
    let annotation = metadata.annotations.as_ref()?.get(QUOTE_PROVIDER_ANNOTATION)?;
    Some(annotation)
}

/// Whether a pod gets its quotes from a quote service.
pub(crate) fn is_quote_service(metadata: &ObjectMeta) -> bool {
    let label = metadata.labels.as_ref().and_then(|labels| labels.get(INJECT_LABEL));
    annotated(metadata) == Some(AESMD) || label.is_some_and(|label| label == "true")
}

/// Whether this container is a quote service itself.
pub(crate) fn is_aesmd(container: &Container) -> bool {
    container.name == AESMD && container::has_epc(container)
}

/// Whether a pod has a quote service of its own, for other containers of the same pod.
pub(crate) fn has_own_quote_service(spec: &PodSpec) -> bool {
    let is_other = |container: &Container| container::has_epc(container) && !is_aesmd(container);
    container::all(spec).any(is_aesmd) && container::all(spec).any(is_other)
}

/// Tells the containers with EPC to get their quotes from a quote service.
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
