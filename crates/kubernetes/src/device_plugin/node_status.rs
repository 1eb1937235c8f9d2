//! Resources that the API server counts, as numbers in the node's status.
//!
//! The kubelet copies capacities to allocatable quantities, and reports device plugins, within ten
//! seconds. The plugin does not wait for that: it sets what the kubelet will report.

mod checkpoint;
mod ownership;
mod traces;

use std::path::PathBuf;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Event, Node};
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::{Map, Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::allocator::Allocator;
use super::device_node::DeviceNode;
use super::plan::Plan;
use super::profile::ResourceProfile;
use super::readiness::{Component, Readiness};
use checkpoint::Checkpoint;
pub(crate) use ownership::is_owned;
pub use traces::{QUOTE_SERVICE_CONDITION, SGX_NODE_LABEL};
pub(crate) use traces::{Traces, condition};

/// The field manager of resources in a node's status.
pub(crate) const NODE_STATUS_MANAGER: &str = "quote-helper-device-plugin";

/// The namespace of Events about nodes, as of the kubelet's.
pub(crate) const EVENT_NAMESPACE: &str = "default";

/// The interval at which device nodes are checked, and at which the status is set until it is as
/// wanted.
const PERIOD: Duration = Duration::from_secs(5);
/// The interval at which the status is set again: others may have changed it.
const RENEWAL: Duration = Duration::from_secs(60);
/// The timeout of a request to the API server.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The message of a request without an answer.
const NO_ANSWER: &str = "the API server does not answer within 10 seconds";

/// Quantities by resource; null removes one.
type Quantities = Map<String, Value>;

/// A node's status at the API server.
#[derive(Clone)]
pub struct NodeStatus {
    nodes: Api<Node>,
    events: Api<Event>,
    name: String,
}

/// The node that the status is about.
pub(crate) struct LocalNode<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) allocator: &'a Allocator,
    pub(crate) plugin_dir: PathBuf,
    /// True while the kubelet watches the devices of all resources.
    pub(crate) watched: watch::Receiver<bool>,
}

impl NodeStatus {
    /// The status of the node of this name. The client needs the permission to patch
    /// `nodes/status`, and for Events about it to create them in the namespace `default`.
    #[must_use]
    pub fn new(client: Client, name: String) -> Self {
        let events = Api::namespaced(client.clone(), EVENT_NAMESPACE);
        Self { nodes: Api::all(client), events, name }
    }

    /// Keeps the plan's resources in the node's status, at zero while the device node is missing.
    pub(crate) async fn keep(&self, mut node: LocalNode<'_>, readiness: &Readiness) {
        let mut last = None;
        readiness.expect(Component::NodeStatus);
        loop {
            let healthy = node.is_healthy();
            let is_set = last.is_some_and(|(was_healthy, set): (bool, Instant)| {
                was_healthy == healthy && set.elapsed() < RENEWAL
            });
            if !is_set {
                let outcome = self.set(&node, healthy).await;
                last = matches!(outcome, Ok(true)).then(|| (healthy, Instant::now()));
                match outcome {
                    Ok(_) => readiness.ready(Component::NodeStatus),
                    Err(problem) => readiness.not_ready(Component::NodeStatus, problem),
                }
            }
            tokio::select! {
                () = sleep(PERIOD) => {}
                // The kubelet has started again, and may have lost its state.
                Ok(()) = node.watched.changed() => last = None,
            }
        }
    }

    /// Sets the status. Returns true if it was already as wanted; if not, the kubelet may change
    /// it once more.
    async fn set(&self, node: &LocalNode<'_>, healthy: bool) -> Result<bool, String> {
        let capacity = capacity(node.plan, healthy);
        let live = self.patch(of_status(&json!({ "capacity": capacity }))).await?;
        if node.has_device_nodes() && !has_label(&live) {
            // The status' own metadata: the permission for the status is enough.
            let labels = json!({ "metadata": { "labels": { SGX_NODE_LABEL: "true" } } });
            self.patch(Patch::Merge(labels)).await?;
        }
        let wanted = differing(&live, capacity.into_iter().chain(node.devices()));
        if wanted.is_empty() {
            return Ok(true);
        }
        let checkpoint = Checkpoint::read(&node.plugin_dir).await;
        let is_held = |(name, quantity): &(String, Value)| {
            let mut counted_here = node.plan.in_node_status.iter();
            quantity != "0" && counted_here.any(|it| it.name == name) && checkpoint.names(name)
        };
        let (held, wanted): (Quantities, Quantities) = wanted.into_iter().partition(is_held);
        if !wanted.is_empty() {
            let status = json!({ "capacity": wanted, "allocatable": wanted });
            self.patch(of_status(&status)).await?;
        }
        held.keys().next().map_or(Ok(false), |name| Err(checkpoint.problem(name)))
    }

    /// The node, by a patch that changes nothing: that needs no further permission.
    pub(crate) async fn live(&self) -> Result<Node, String> {
        self.patch(Patch::Merge(json!({}))).await
    }

    /// Records an Event about the node.
    pub(crate) async fn record(&self, event: &Event) -> Result<(), String> {
        match timeout(TIMEOUT, self.events.create(&PostParams::default(), event)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(format!("cannot create an Event: {error}")),
            Err(_) => Err(NO_ANSWER.to_owned()),
        }
    }

    /// Patches the node through its status.
    pub(crate) async fn patch(&self, patch: Patch<Value>) -> Result<Node, String> {
        let params = PatchParams {
            field_manager: Some(NODE_STATUS_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let patched = self.nodes.patch_status(&self.name, &params, &patch);
        match timeout(TIMEOUT, patched).await {
            Ok(Ok(node)) => Ok(node),
            Ok(Err(error)) => Err(format!(
                "cannot set the status of the node {:?}: {error} (the permission to patch \
                 nodes/status is needed)",
                self.name
            )),
            Err(_) => Err(NO_ANSWER.to_owned()),
        }
    }
}

impl LocalNode<'_> {
    fn is_healthy(&self) -> bool {
        !self.has_device_nodes() || self.allocator.find(DeviceNode::Enclave).is_ok()
    }

    /// False for simulated EPC.
    fn has_device_nodes(&self) -> bool {
        self.plan.resources.iter().any(|it| it.device_node.is_some())
    }

    /// The quantities of resources that the kubelet allocates, as far as it has them now.
    fn devices(&self) -> impl Iterator<Item = (String, Value)> {
        let is_watched = *self.watched.borrow();
        let resources = self.plan.resources.iter().filter(move |_| is_watched);
        let healthy = resources.filter(|resource| {
            resource.device_node.is_none_or(|node| self.allocator.find(node).is_ok())
        });
        healthy.map(|it| (it.name.to_owned(), json!(it.devices.len().to_string())))
    }
}

fn of_status(status: &Value) -> Patch<Value> {
    Patch::Merge(json!({ "status": status }))
}

/// True if the node has the label, whatever its value: others may have set it.
fn has_label(node: &Node) -> bool {
    node.metadata.labels.as_ref().is_some_and(|labels| labels.contains_key(SGX_NODE_LABEL))
}

/// The wanted quantities that are not allocatable.
fn differing(node: &Node, wanted: impl Iterator<Item = (String, Value)>) -> Quantities {
    let status = node.status.as_ref();
    let allocatable = status.and_then(|status| status.allocatable.as_ref());
    let differs = |(name, quantity): &(String, Value)| {
        let live = allocatable.and_then(|allocatable| allocatable.get(name));
        let live = live.map_or("0", |live| &live.0);
        quantity.as_str().is_some_and(|quantity| quantity != live)
    };
    wanted.filter(differs).collect()
}

/// The quantities as a merge patch. Resources that another profile has left are removed, since they
/// would count the same memory twice.
fn capacity(plan: &Plan, healthy: bool) -> Quantities {
    let ours = plan.in_node_status.iter();
    let ours = ours.map(|it| (it.name, json!(if healthy { it.quantity } else { 0 }.to_string())));
    let left = ResourceProfile::epc_resources().filter(|name| {
        let counted_by_kubelet = plan.resources.iter().any(|it| it.name == *name);
        !counted_by_kubelet && !plan.in_node_status.iter().any(|it| it.name == *name)
    });
    left.map(|name| (name, Value::Null)).chain(ours).map(|(k, v)| (k.to_owned(), v)).collect()
}
