//! The device plugin's account at the API server, where it counts EPC in the nodes' status.

use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::{
    ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::DynamicObject;

use super::object::{cluster_metadata, object};
use super::{AddOn, DEVICE_PLUGIN, KubernetesVersion};
use crate::device_plugin::{EVENT_NAMESPACE, EpcAccounting, ResourceProfile};

/// The Role for Events about nodes, in the namespace of these.
const NODE_EVENTS: &str = "sgx-plugin-events";

impl AddOn {
    /// True if nodes have a device for each MiB of EPC, for which kubelets of this version need the
    /// product of offered and allocated ones in time.
    #[must_use]
    pub fn stalls_kubelets(&self, version: KubernetesVersion) -> bool {
        let mut profiles = self.resource_profile.profiles();
        self.epc_accounting == EpcAccounting::Devices
            && profiles.any(|profile| profile != ResourceProfile::Intel)
            && version.reports_device_health()
    }

    /// True if the device plugin reports the state of the quote service in the nodes' status.
    pub(super) fn watches_quote_service(&self) -> bool {
        self.quote_service && self.counts_in_node_status()
    }

    /// True if some EPC is counted in the nodes' status.
    pub(super) fn counts_in_node_status(&self) -> bool {
        let mut profiles = self.resource_profile.profiles();
        self.epc_accounting == EpcAccounting::NodeStatus
            || profiles.any(|profile| profile == ResourceProfile::Intel)
    }
}

/// The account and its permissions; nothing if the plugin does not use the API server.
pub(super) fn objects(add_on: &AddOn) -> Result<Vec<DynamicObject>, serde_json::Error> {
    if !add_on.counts_in_node_status() {
        return Ok(Vec::new());
    }
    let account =
        ServiceAccount { metadata: add_on.metadata(DEVICE_PLUGIN), ..ServiceAccount::default() };
    let role = ClusterRole {
        metadata: cluster_metadata(DEVICE_PLUGIN),
        rules: Some(vec![rule("", "nodes/status", &["patch"])]),
        ..ClusterRole::default()
    };
    let binding = ClusterRoleBinding {
        metadata: cluster_metadata(DEVICE_PLUGIN),
        role_ref: role_ref("ClusterRole", DEVICE_PLUGIN),
        subjects: Some(vec![account_of(add_on, DEVICE_PLUGIN)]),
    };
    let mut objects = vec![object(&account)?, object(&role)?, object(&binding)?];
    if add_on.watches_quote_service() {
        objects.extend(events(add_on)?);
    }
    Ok(objects)
}

/// The permission to create Events about nodes.
fn events(add_on: &AddOn) -> Result<[DynamicObject; 2], serde_json::Error> {
    let metadata = || ObjectMeta {
        namespace: Some(EVENT_NAMESPACE.to_owned()),
        ..cluster_metadata(NODE_EVENTS)
    };
    let rules = Some(vec![rule("", "events", &["create"])]);
    Ok([
        object(&Role { metadata: metadata(), rules })?,
        object(&RoleBinding {
            metadata: metadata(),
            role_ref: role_ref("Role", NODE_EVENTS),
            subjects: Some(vec![account_of(add_on, DEVICE_PLUGIN)]),
        })?,
    ])
}

/// The permission for all resources of a kind.
pub(super) fn rule(group: &str, resource: &str, verbs: &[&str]) -> PolicyRule {
    PolicyRule {
        api_groups: Some(vec![group.to_owned()]),
        resources: Some(vec![resource.to_owned()]),
        verbs: verbs.iter().map(|verb| (*verb).to_owned()).collect(),
        ..PolicyRule::default()
    }
}

/// A role by its name.
pub(super) fn role_ref(kind: &str, name: &str) -> RoleRef {
    RoleRef {
        api_group: "rbac.authorization.k8s.io".to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
    }
}

/// An account of the add-on by its name.
pub(super) fn account_of(add_on: &AddOn, name: &str) -> Subject {
    Subject {
        kind: "ServiceAccount".to_owned(),
        name: name.to_owned(),
        namespace: Some(add_on.namespace.clone()),
        ..Subject::default()
    }
}
