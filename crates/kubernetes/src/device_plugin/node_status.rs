//! Resources that the API server counts, as numbers in the node's status.

use std::time::Duration;

use k8s_openapi::api::core::v1::Node;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep, timeout};

use super::allocator::Allocator;
use super::device_node::DeviceNode;
use super::plan::Plan;
use super::profile::ResourceProfile;
use super::readiness::{Component, Readiness};

/// The field manager of resources in a node's status.
pub(crate) const NODE_STATUS_MANAGER: &str = "quote-helper-device-plugin";

/// The interval at which device nodes are checked.
const PERIOD: Duration = Duration::from_secs(5);
/// The interval at which the status is set again: others may have changed it, for instance a
/// kubelet that has lost its state.
const RENEWAL: Duration = Duration::from_secs(60);
/// The timeout of a request to the API server.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A node's status at the API server.
#[derive(Clone)]
pub struct NodeStatus {
    nodes: Api<Node>,
    name: String,
}

impl NodeStatus {
    /// The status of the node of this name. The client needs the permission to patch
    /// `nodes/status`.
    #[must_use]
    pub fn new(client: Client, name: String) -> Self {
        Self { nodes: Api::all(client), name }
    }

    /// Keeps the plan's resources in the node's status, at zero while the device node is missing.
    /// The kubelet derives the allocatable quantities from it.
    pub(crate) async fn keep(&self, plan: &Plan, allocator: &Allocator, readiness: &Readiness) {
        let needs_device_node = plan.resources.iter().any(|it| it.device_node.is_some());
        let mut last = None;
        readiness.expect(Component::NodeStatus);
        loop {
            let healthy = !needs_device_node || allocator.find(DeviceNode::Enclave).is_ok();
            let is_set = last.is_some_and(|(was_healthy, set): (bool, Instant)| {
                was_healthy == healthy && set.elapsed() < RENEWAL
            });
            if !is_set {
                match self.set(&capacity(plan, healthy)).await {
                    Ok(()) => {
                        last = Some((healthy, Instant::now()));
                        readiness.ready(Component::NodeStatus);
                    }
                    Err(problem) => {
                        last = None;
                        readiness.not_ready(Component::NodeStatus, problem);
                    }
                }
            }
            sleep(PERIOD).await;
        }
    }

    async fn set(&self, capacity: &Map<String, Value>) -> Result<(), String> {
        let patch = Patch::Merge(json!({ "status": { "capacity": capacity } }));
        let params = PatchParams {
            field_manager: Some(NODE_STATUS_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let patched = self.nodes.patch_status(&self.name, &params, &patch);
        match timeout(TIMEOUT, patched).await {
            Ok(Ok(node)) => check_allocatable(&node, capacity),
            Ok(Err(error)) => Err(format!(
                "cannot set the status of the node {:?}: {error} (the permission to patch \
                 nodes/status is needed)",
                self.name
            )),
            Err(_) => Err("the API server does not answer within 10 seconds".to_owned()),
        }
    }
}

/// Checks that the kubelet has made the capacity allocatable. This takes seconds, or minutes for
/// resources that were offered as devices before: until the kubelet has forgotten them it sets them
/// to zero.
fn check_allocatable(node: &Node, capacity: &Map<String, Value>) -> Result<(), String> {
    let status = node.status.as_ref();
    let allocatable = status.and_then(|status| status.allocatable.as_ref());
    let is_promised = |quantity: &Value| quantity.as_str().is_some_and(|it| it != "0");
    for (name, _) in capacity.iter().filter(|(_, quantity)| is_promised(quantity)) {
        let quantity = allocatable.and_then(|allocatable| allocatable.get(name));
        if quantity.is_none_or(|quantity| quantity.0 == "0") {
            return Err(format!(
                "the kubelet does not allocate {name} yet; this takes up to five minutes if \
                 it was offered as devices before"
            ));
        }
    }
    Ok(())
}

/// The quantities as a merge patch. Resources that another profile has left are removed, since they
/// would count the same memory twice.
fn capacity(plan: &Plan, healthy: bool) -> Map<String, Value> {
    let ours = plan.in_node_status.iter();
    let ours = ours.map(|it| (it.name, json!(if healthy { it.quantity } else { 0 }.to_string())));
    let left = ResourceProfile::epc_resources().filter(|name| {
        let counted_by_kubelet = plan.resources.iter().any(|it| it.name == *name);
        !counted_by_kubelet && !plan.in_node_status.iter().any(|it| it.name == *name)
    });
    left.map(|name| (name, Value::Null)).chain(ours).map(|(k, v)| (k.to_owned(), v)).collect()
}
