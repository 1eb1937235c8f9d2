//! The words about pods that no node takes.

use k8s_openapi::api::core::v1::{Node, Pod};
use kubernetes::device_plugin::{ENCLAVE_RESOURCE, PROVISION_RESOURCE, ResourceProfile, Shares};

use super::Cause;
use super::obstacle::Obstacle;
use crate::cluster::NAMED;
use crate::cluster::epc::{self, Epc};
use crate::cluster::facts::{name, pod_object};
use crate::cluster::placement::Placement;

/// The maximum number of pods named for a node.
const HOLDERS: usize = 3;
const MIB: u64 = 1 << 20;

/// The detail, the fix, and the value for programs.
pub(super) fn of(cause: &Cause<'_>, pod: &Pod, nodes: &[Node]) -> (String, String, &'static str) {
    let asks =
        |resource| format!("it asks for {}", quantity(epc::requested_of(pod, resource), resource));
    match cause {
        Cause::UnknownResource(resource) => (
            format!("{}, which no node offers", asks(resource)),
            instead(resource, epc::requested_of(pod, resource), nodes),
            "unknown-resource",
        ),
        Cause::UnusableResource(resource) => (
            format!("{}, of which no node has any at present", asks(resource)),
            "see `node` and `sgx-plugin`: the device plugin does not run, or reports the devices as \
             unhealthy"
                .to_owned(),
            "unusable-resource",
        ),
        Cause::TooLarge { resource, node, has } => (
            format!("{}; the node with most, {node}, has {}", asks(resource), amount(*has, resource)),
            format!(
                "ask for {} at most, over all containers of the pod, or add a node that has more",
                amount(*has, resource)
            ),
            "too-large",
        ),
        Cause::NoNodeHasAll => {
            let all = epc::all_requested(pod).into_iter();
            let all: Vec<_> = all.map(|(resource, asked)| quantity(asked, resource)).collect();
            (
                format!("no node has all that it asks for: {}", all.join(", ")),
                "ask for EPC under one name only, and for less; `node` lists what nodes offer"
                    .to_owned(),
                "too-large",
            )
        }
        Cause::Obstacles(obstacles) => obstacles_of(obstacles, pod),
        Cause::Scheduler(said) => (
            format!("nodes have what it asks for of SGX; the scheduler says: {said}"),
            format!("see `kubectl describe {}`, and make room for the rest", kubectl_name(pod)),
            "other",
        ),
    }
}

fn obstacles_of(obstacles: &[(&Node, Obstacle<'_>)], pod: &Pod) -> (String, String, &'static str) {
    let details = obstacles.iter().take(NAMED);
    let mut details: Vec<_> =
        details.map(|(node, obstacle)| detail(name(&node.metadata), obstacle, pod)).collect();
    let more = obstacles.len().saturating_sub(NAMED);
    details.extend((more > 0).then(|| format!("and {more} more nodes")));
    let full = obstacles.iter().find(|(_, obstacle)| matches!(obstacle, Obstacle::Full { .. }));
    // An obstacle that may end by itself comes first.
    let first = full.or_else(|| obstacles.first());
    let (fix, value) = match first {
        Some((node, obstacle)) => fix(name(&node.metadata), obstacle),
        None => (String::new(), "other"),
    };
    (format!("no node takes it: {}", details.join("; ")), fix, value)
}

fn detail(node: &str, obstacle: &Obstacle<'_>, pod: &Pod) -> String {
    match obstacle {
        Obstacle::Placement(Placement::LacksLabel { key, value }) => {
            format!("{node} lacks the label {key}={value}, which it wants")
        }
        Obstacle::Placement(Placement::Tainted(taint)) => {
            format!("{node} has the taint {taint}, which it does not tolerate")
        }
        Obstacle::Placement(_) => format!("{node} is cordoned"),
        Obstacle::Full { resource, free, allocatable, holders } => {
            let asked = epc::requested_of(pod, resource);
            let named = holders.iter().take(HOLDERS);
            let mut named: Vec<_> = named
                .map(|(holder, holds)| {
                    format!("{} ({})", pod_object(holder), amount(*holds, resource))
                })
                .collect();
            let more = holders.len().saturating_sub(HOLDERS);
            named.extend((more > 0).then(|| format!("{more} more")));
            format!(
                "{node} has {} of {} free, and it asks for {}; the rest is held by {}",
                free,
                quantity(*allocatable, resource),
                amount(asked, resource),
                named.join(", ")
            )
        }
    }
}

fn fix(node: &str, obstacle: &Obstacle<'_>) -> (String, &'static str) {
    match obstacle {
        Obstacle::Placement(Placement::LacksLabel { key, value }) => (
            format!(
                "kubectl label node {node} {key}={value}; or leave that label out of the pod's \
                 nodeSelector or affinity"
            ),
            "excluded",
        ),
        Obstacle::Placement(Placement::Tainted(taint)) => {
            let key = taint.split(['=', ':']).next().unwrap_or(taint);
            let fix = format!(
                "add to the pod's tolerations `{{key: \"{key}\", operator: Exists}}`; or remove \
                 the taint: `kubectl taint node {node} {taint}-`"
            );
            (fix, "excluded")
        }
        Obstacle::Placement(_) => (format!("kubectl uncordon {node}"), "excluded"),
        Obstacle::Full { .. } => (
            "wait until one of these pods ends, or delete one; or ask for less, or add a node"
                .to_owned(),
            "no-free-quantity",
        ),
    }
}

/// The request that nodes can satisfy, in place of one of an unknown resource.
fn instead(resource: &str, asked: u64, nodes: &[Node]) -> String {
    if resource == PROVISION_RESOURCE || resource == ENCLAVE_RESOURCE {
        return format!(
            "see `sgx-plugin`: the device plugin offers {resource} on nodes with that device; \
             without the device plugin, `quote-helper install`"
        );
    }
    let Some(offer) = nodes.iter().flat_map(Epc::of_node).next() else {
        return "see `node` and `sgx-plugin`: no node offers enclave memory under any name; \
                without the device plugin, `quote-helper install`"
            .to_owned();
    };
    let own = ResourceProfile::ALL.into_iter().find(|profile| profile.epc_resource() == resource);
    let is_in_mib = resource.to_ascii_lowercase().contains("mib");
    let unit = own.map_or(if is_in_mib { MIB } else { 1 }, ResourceProfile::unit);
    let offered = offer.profile.epc_resource();
    let quantity = asked.saturating_mul(unit).div_ceil(offer.profile.unit());
    let ask = format!("write `{offered}: {quantity}` into the container's limits instead");
    match own {
        Some(profile) => {
            let profile = Shares::from(profile);
            format!(
                "{ask}; or offer this name in place of {offered}, or both with sizes: \
                 `quote-helper upgrade --resource-profile {profile}`"
            )
        }
        None => ask,
    }
}

/// For instance `10 MiB of kubernetes.azure.com/sgx_epc_mem_in_MiB`.
fn quantity(quantity: u64, resource: &str) -> String {
    format!("{} of {resource}", amount(quantity, resource))
}

/// For instance `10 MiB`.
fn amount(quantity: u64, resource: &str) -> String {
    let known = ResourceProfile::ALL.into_iter().find(|known| known.epc_resource() == resource);
    match known.map(ResourceProfile::unit) {
        Some(1) => format!("{quantity} bytes"),
        Some(_) => format!("{quantity} MiB"),
        None => quantity.to_string(),
    }
}

/// For instance `pod -n shop cart`.
fn kubectl_name(pod: &Pod) -> String {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    format!("pod -n {namespace} {}", name(&pod.metadata))
}
