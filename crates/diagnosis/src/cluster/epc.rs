//! Enclave memory of nodes, in the units of its resources.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Node, Pod};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kubernetes::device_plugin::ResourceProfile;
use kubernetes::injection::{self, is_sgx_resource, quantity};

/// The EPC of a node that one resource offers, in units of that resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Epc {
    pub(crate) profile: ResourceProfile,
    /// The node's total.
    pub(crate) capacity: u64,
    /// The part that pods can request.
    pub(crate) allocatable: u64,
}

impl Epc {
    pub(crate) fn of_node(node: &Node) -> Vec<Self> {
        let Some(status) = &node.status else { return Vec::new() };
        let offers = ResourceProfile::ALL.into_iter().map(|profile| Self {
            profile,
            capacity: listed(status.capacity.as_ref(), profile.epc_resource()),
            allocatable: listed(status.allocatable.as_ref(), profile.epc_resource()),
        });
        offers.filter(|epc| epc.capacity > 0).collect()
    }

    pub(crate) fn allocated<'a>(&self, pods: impl IntoIterator<Item = &'a Pod>) -> u64 {
        let requests = pods.into_iter().map(|pod| requested(pod, self.profile));
        requests.fold(0, u64::saturating_add)
    }

    pub(crate) fn unit(&self) -> &'static str {
        if self.profile.unit() == 1 { "bytes" } else { "MiB" }
    }
}

/// The pod's request, as the scheduler counts it.
pub(crate) fn requested(pod: &Pod, profile: ResourceProfile) -> u64 {
    requested_of(pod, profile.epc_resource())
}

/// True if the pod requests EPC.
pub(crate) fn requests_epc(pod: &Pod) -> bool {
    ResourceProfile::ALL.into_iter().any(|profile| requested(pod, profile) > 0)
}

/// All resources of SGX that the pod requests, whoever offers them, as the scheduler counts them.
pub(crate) fn all_requested(pod: &Pod) -> BTreeMap<&str, u64> {
    let spec = pod.spec.iter();
    let containers =
        spec.flat_map(|spec| spec.init_containers.iter().flatten().chain(&spec.containers));
    let lists = containers.filter_map(list).flat_map(BTreeMap::keys);
    let names = lists.map(String::as_str).filter(|name| is_sgx_resource(name));
    let requested = names.map(|name| (name, requested_of(pod, name)));
    requested.filter(|(_, requested)| *requested > 0).collect()
}

/// The quantity of a resource that the node can give to pods; `None` if it does not have it.
pub(crate) fn allocatable(node: &Node, resource: &str) -> Option<u64> {
    let list = node.status.as_ref()?.allocatable.as_ref()?;
    Some(quantity::parse(&list.get(resource)?.0).unwrap_or_default())
}

/// The pod's request of this resource, as the scheduler counts it.
pub(crate) fn requested_of(pod: &Pod, resource: &str) -> u64 {
    let asked = |container: &Container| Some(listed(list(container), resource));
    let requested = pod.spec.as_ref().map(|spec| injection::pod_request(spec, asked));
    requested.map_or(0, |requested| requested.unwrap_or(u64::MAX))
}

/// A container's requests. For such resources the API server sets both to the same value.
fn list(container: &Container) -> Option<&BTreeMap<String, Quantity>> {
    let resources = container.resources.as_ref()?;
    resources.requests.as_ref().or(resources.limits.as_ref())
}

fn listed(list: Option<&BTreeMap<String, Quantity>>, resource: &str) -> u64 {
    let listed = list.and_then(|list| list.get(resource));
    listed.and_then(|listed| quantity::parse(&listed.0)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixtures::typed;
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
                json!([
                    asks("nonsense", None),
                    asks("7Ei", None),
                    asks("7Ei", None),
                    asks("7Ei", None)
                ]),
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
