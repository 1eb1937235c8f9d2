//! The enclave memory that a pod requests.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, PodSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{container, quantity};
use crate::device_plugin::ResourceProfile;

/// The annotation with the pod's EPC in bytes, which sizes Kata Containers' virtual machines.
pub(crate) const EPC_ANNOTATION: &str = "sgx.intel.com/epc";

/// Sets the pod's EPC annotation, unless it is there.
pub(crate) fn annotate(metadata: &mut ObjectMeta, spec: &PodSpec) {
    let Some(epc) = of_pod(spec).filter(|epc| *epc > 0) else { return };
    let annotations = metadata.annotations.get_or_insert_with(BTreeMap::new);
    annotations.entry(EPC_ANNOTATION.to_owned()).or_insert_with(|| epc.to_string());
}

/// The pod's EPC in bytes; `None` if it exceeds the maximum of a quantity.
pub(crate) fn of_pod(spec: &PodSpec) -> Option<u64> {
    pod_request(spec, of_container).filter(|epc| i64::try_from(*epc).is_ok())
}

/// A pod's request as Kubernetes computes it from that of each container: the sum over containers
/// and sidecars, or more if an init container needs more. `None` if it overflows 64 bits, or a
/// container's is `None`.
///
/// Intel's webhook sums containers only. The results differ with init containers, for which its
/// virtual machines are too small to start.
pub fn pod_request(
    spec: &PodSpec,
    of_container: impl Fn(&Container) -> Option<u64>,
) -> Option<u64> {
    let mut sidecars = 0_u64;
    let mut peak = 0_u64;
    for container in spec.init_containers.iter().flatten() {
        let with_this = sidecars.checked_add(of_container(container)?)?;
        peak = peak.max(with_this);
        if container.restart_policy.as_deref() == Some("Always") {
            sidecars = with_this;
        }
    }
    let mut containers = spec.containers.iter();
    let together = containers.try_fold(sidecars, |sum, it| sum.checked_add(of_container(it)?))?;
    Some(peak.max(together))
}

/// The EPC in bytes that a container requests under all names.
fn of_container(container: &Container) -> Option<u64> {
    let profiles = ResourceProfile::ALL.into_iter();
    let asked = profiles.filter_map(|profile| {
        let asked = container::quantity_of(container, profile.epc_resource())?;
        Some(quantity::parse(&asked.0)?.checked_mul(profile.unit()))
    });
    asked.into_iter().try_fold(0_u64, |sum, bytes| sum.checked_add(bytes?))
}
