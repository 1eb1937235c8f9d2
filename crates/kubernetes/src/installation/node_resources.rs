//! Resources, labels and conditions that the device plugin has left on nodes.

use k8s_openapi::api::core::v1::Node;
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, ResourceExt};
use serde_json::{Map, Value, json};

use super::error::{ApiContext, InstallationError};
use crate::api_server::ApiServer;
use crate::device_plugin::{NODE_STATUS_MANAGER, ResourceProfile, Traces, is_owned};

/// The leavings on a node that the device plugin has set. Those of other managers are not included.
pub(super) struct NodeResources {
    pub(super) node: String,
    resources: Vec<&'static str>,
    traces: Traces,
}

/// Finds them on all nodes.
pub(super) async fn find(api_server: &ApiServer) -> Result<Vec<NodeResources>, InstallationError> {
    let nodes = Api::<Node>::all(api_server.client());
    let nodes = api_server.list(&nodes, &ListParams::default(), |_| true).await;
    let nodes = nodes.doing(|| "list nodes, in whose status EPC may be counted".to_owned())?;
    let found = nodes.iter().map(|node| NodeResources {
        node: node.name_any(),
        resources: ResourceProfile::epc_resources().filter(|it| is_left(node, it)).collect(),
        traces: Traces::of(node),
    });
    Ok(found.filter(|found| !found.resources.is_empty() || !found.traces.is_empty()).collect())
}

/// Removes them; the kubelet updates the allocatable quantities.
pub(super) async fn remove(
    api_server: &ApiServer,
    found: &NodeResources,
) -> Result<(), InstallationError> {
    let resources = found.resources.iter().map(|it| ((*it).to_owned(), Value::Null));
    let capacity = resources.collect::<Map<_, _>>();
    let mut patch = found.traces.removal();
    if let Value::Object(status) = patch.entry("status").or_insert_with(|| json!({})) {
        status.insert("capacity".to_owned(), Value::Object(capacity));
    }
    let params = PatchParams {
        field_manager: Some(NODE_STATUS_MANAGER.to_owned()),
        ..PatchParams::default()
    };
    let nodes = Api::<Node>::all(api_server.client());
    let patch = Patch::Strategic(Value::Object(patch));
    let patched = api_server.ask(nodes.patch_status(&found.node, &params, &patch)).await;
    patched.doing(|| format!("remove EPC, label and condition from the node {}", found.node))?;
    Ok(())
}

fn is_left(node: &Node, resource: &str) -> bool {
    let capacity = node.status.as_ref().and_then(|status| status.capacity.as_ref());
    capacity.is_some_and(|capacity| capacity.contains_key(resource))
        && is_owned(node, &["status", "capacity", resource])
}
