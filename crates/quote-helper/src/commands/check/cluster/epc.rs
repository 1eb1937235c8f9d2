//! Enclave memory of nodes, in the units of the resources that it is offered by.

use std::collections::BTreeMap;

use bytesize::ByteSize;
use k8s_openapi::api::core::v1::{Container, Node, Pod, PodSpec};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kubernetes::device_plugin::ResourceProfile;

/// The EPC of a node under one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Epc {
    pub(crate) profile: ResourceProfile,
    /// What the node has.
    pub(crate) capacity: u64,
    /// What pods may have of it.
    pub(crate) allocatable: u64,
}

impl Epc {
    /// All EPC that the node offers.
    pub(crate) fn of_node(node: &Node) -> Vec<Self> {
        let Some(status) = &node.status else { return Vec::new() };
        let offers = ResourceProfile::ALL.into_iter().map(|profile| Self {
            profile,
            capacity: quantity(status.capacity.as_ref(), profile),
            allocatable: quantity(status.allocatable.as_ref(), profile),
        });
        offers.filter(|epc| epc.capacity > 0).collect()
    }

    /// What these pods have of it.
    pub(crate) fn allocated<'a>(&self, pods: impl IntoIterator<Item = &'a Pod>) -> u64 {
        let requests = pods.into_iter().map(|pod| requested(pod, self.profile));
        requests.fold(0, u64::saturating_add)
    }

    /// The unit of the resource.
    pub(crate) fn unit(&self) -> &'static str {
        if self.profile.unit() == 1 { "bytes" } else { "MiB" }
    }
}

/// What the pod needs at a time, as the scheduler counts: containers and sidecars together, or more if an init
/// container needs more.
pub(crate) fn requested(pod: &Pod, profile: ResourceProfile) -> u64 {
    let Some(spec) = &pod.spec else { return 0 };
    let (sidecars, peak) = init_containers(spec, profile);
    let containers = spec.containers.iter().map(|container| asked(container, profile));
    containers.fold(sidecars, u64::saturating_add).max(peak)
}

/// What sidecars need together, and the most that is needed before the containers start.
fn init_containers(spec: &PodSpec, profile: ResourceProfile) -> (u64, u64) {
    spec.init_containers.iter().flatten().fold((0, 0), |(sidecars, peak): (u64, u64), container| {
        let with_this = sidecars.saturating_add(asked(container, profile));
        let is_sidecar = container.restart_policy.as_deref() == Some("Always");
        (if is_sidecar { with_this } else { sidecars }, peak.max(with_this))
    })
}

fn asked(container: &Container, profile: ResourceProfile) -> u64 {
    let resources = container.resources.as_ref();
    // The API server makes the two the same.
    let list =
        resources.and_then(|resources| resources.requests.as_ref().or(resources.limits.as_ref()));
    quantity(list, profile)
}

/// As the API server writes whole numbers: digits, and a suffix that `ByteSize` knows too.
fn quantity(list: Option<&BTreeMap<String, Quantity>>, profile: ResourceProfile) -> u64 {
    let quantity = list.and_then(|list| list.get(profile.epc_resource()));
    quantity.and_then(|quantity| quantity.0.parse::<ByteSize>().ok()).unwrap_or_default().as_u64()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::recorded::typed;
    use super::*;

    #[test]
    fn a_pod_needs_what_the_scheduler_counts() {
        let asks = |quantity: &str, restart_policy: Option<&str>| {
            let epc = "sgx.intel.com/epc";
            json!({ "name": "c", "restartPolicy": restart_policy,
                    "resources": { "requests": { epc: quantity } } })
        };
        for (init, containers, expected) in [
            (json!([]), json!([]), 0),
            (json!([]), json!([asks("1Mi", None), asks("2048", None)]), (1 << 20) + 2048),
            (json!([asks("5k", None)]), json!([asks("1k", None)]), 5000),
            (
                json!([asks("1k", Some("Always")), asks("5k", None)]),
                json!([asks("1k", None)]),
                6000,
            ),
            (json!([asks("1k", Some("Always"))]), json!([asks("1k", None)]), 2000),
            (
                json!([]),
                json!([asks("nonsense", None), asks("16Ei", None), asks("16Ei", None)]),
                u64::MAX,
            ),
        ] {
            let pod =
                typed(json!({ "spec": { "initContainers": init, "containers": containers } }));
            assert_eq!(requested(&pod, ResourceProfile::Intel), expected);
            assert_eq!(requested(&pod, ResourceProfile::Azure), 0);
        }
    }
}
