//! Resources that the device plugin has left in the nodes' status.

use k8s_openapi::api::core::v1::Node;
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, ResourceExt};
use serde_json::{Map, Value, json};

use super::error::{ApiContext, InstallationError};
use crate::api_server::ApiServer;
use crate::device_plugin::{NODE_STATUS_MANAGER, ResourceProfile};

/// Resources of a node that the device plugin has set. Those of other managers are not included.
pub(super) struct NodeResources {
    pub(super) node: String,
    resources: Vec<&'static str>,
}

/// Finds them on all nodes.
pub(super) async fn find(api_server: &ApiServer) -> Result<Vec<NodeResources>, InstallationError> {
    let nodes = Api::<Node>::all(api_server.client());
    let nodes = api_server.list(&nodes, &ListParams::default(), |_| true).await;
    let nodes = nodes.doing(|| "list nodes, in whose status EPC may be counted".to_owned())?;
    let found = nodes.iter().map(|node| NodeResources {
        node: node.name_any(),
        resources: ResourceProfile::epc_resources().filter(|it| is_left(node, it)).collect(),
    });
    Ok(found.filter(|found| !found.resources.is_empty()).collect())
}

/// Removes them; the kubelet updates the allocatable quantities.
pub(super) async fn remove(
    api_server: &ApiServer,
    found: &NodeResources,
) -> Result<(), InstallationError> {
    let resources = found.resources.iter().map(|it| ((*it).to_owned(), Value::Null));
    let capacity = resources.collect::<Map<_, _>>();
    let patch = Patch::Merge(json!({ "status": { "capacity": capacity } }));
    let params = PatchParams {
        field_manager: Some(NODE_STATUS_MANAGER.to_owned()),
        ..PatchParams::default()
    };
    let nodes = Api::<Node>::all(api_server.client());
    let patched = api_server.ask(nodes.patch_status(&found.node, &params, &patch)).await;
    patched.doing(|| {
        format!("remove {} from the status of {}", found.resources.join(", "), found.node)
    })?;
    Ok(())
}

fn is_left(node: &Node, resource: &str) -> bool {
    let capacity = node.status.as_ref().and_then(|status| status.capacity.as_ref());
    capacity.is_some_and(|capacity| capacity.contains_key(resource)) && is_managed(node, resource)
}

fn is_managed(node: &Node, resource: &str) -> bool {
    let entries = node.metadata.managed_fields.iter().flatten();
    let ours = entries.filter(|it| it.manager.as_deref() == Some(NODE_STATUS_MANAGER));
    ours.filter_map(|entry| entry.fields_v1.as_ref()).any(|fields| {
        let set = fields.0.get("f:status").and_then(|status| status.get("f:capacity"));
        set.is_some_and(|set| set.get(format!("f:{resource}")).is_some())
    })
}
