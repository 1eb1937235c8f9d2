//! The permissions that an installation needs, checked before any change.

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use k8s_openapi::api::rbac::v1::PolicyRule;
use kube::Api;
use kube::api::PostParams;
use kube::core::DynamicObject;

use super::error::{ApiContext, InstallationError};
use super::kind::{KINDS, Kind, ObjectName};
use super::lease;
use super::namespace::application_resources;
use super::permission::Permission;
use crate::api_server::ApiServer;

/// Fails with all missing permissions. `roles` are permissions to grant to the add-on.
pub(super) async fn check(
    api_server: &ApiServer,
    needed: &[Permission],
    roles: &[Permission],
) -> Result<(), InstallationError> {
    if allows(api_server, &Permission::new("*", "*", "*", None)).await? {
        return Ok(());
    }
    let mut missing = missing(api_server, needed).await?;
    // RBAC lets only those grant a permission who have it, or may escalate or bind.
    let any = ["escalate", "bind"]
        .map(|verb| Permission::new(verb, "rbac.authorization.k8s.io", "clusterroles", None));
    if !self::missing(api_server, &any).await?.is_empty() {
        missing.extend(self::missing(api_server, roles).await?);
    }
    missing.dedup();
    if missing.is_empty() { Ok(()) } else { Err(InstallationError::MissingPermissions(missing)) }
}

/// The permissions to install these objects, and to find installed ones.
pub(super) fn to_install(names: &[ObjectName]) -> Vec<Permission> {
    let mut needed = to_find();
    for ObjectName { kind, namespace, .. } in names {
        add(&mut needed, to_change(kind, namespace.as_deref()));
    }
    needed
}

/// The permissions to remove these objects, and the device plugin's traces on nodes.
pub(super) fn to_remove(names: &[ObjectName]) -> Vec<Permission> {
    let mut needed = on_nodes().into();
    for object in names {
        let ObjectName { kind, namespace, .. } = object;
        let verbs = ["get", "delete"].into_iter();
        add(&mut needed, verbs.map(|verb| Permission::with(verb, kind, namespace.as_deref())));
        if object.kind.name() == "Namespace" {
            add(&mut needed, of_applications(Some(&object.name)));
        }
    }
    needed
}

/// The permissions to remove what the device plugin has left in the nodes' status.
fn on_nodes() -> [Permission; 2] {
    [("list", "nodes"), ("patch", "nodes/status")]
        .map(|(verb, resource)| Permission::new(verb, "", resource, None))
}

/// The permissions to find applications in a namespace, which are to stay.
fn of_applications(namespace: Option<&str>) -> impl Iterator<Item = Permission> {
    application_resources()
        .map(move |(group, resource)| Permission::new("list", group, &resource, namespace))
}

/// All permissions that any installation needs, with those that it gives to others, in all
/// namespaces.
pub(super) fn of_installer(objects: &[DynamicObject]) -> Vec<Permission> {
    let mut needed = to_find();
    KINDS.iter().for_each(|kind| add(&mut needed, to_change(kind, None)));
    add(&mut needed, on_nodes());
    add(&mut needed, of_applications(None));
    // Not required: with it, messages have the reasons of pods that are not ready.
    add(&mut needed, [Permission::new("list", "", "events", None)]);
    add(&mut needed, given(objects));
    let mut everywhere = Vec::new();
    add(&mut everywhere, needed.into_iter().map(|it| Permission { namespace: None, ..it }));
    everywhere
}

/// The permissions to find installed objects and to hold the Lease.
pub(super) fn to_find() -> Vec<Permission> {
    let list = KINDS.iter().map(|kind| Permission::with("list", kind, None));
    let lease =
        |verb| Permission::new(verb, "coordination.k8s.io", "leases", Some(lease::NAMESPACE));
    // RBAC cannot limit the creation to a name.
    let claim = ["get", "update", "delete"].map(|verb| lease(verb).named(lease::NAME));
    list.chain([lease("create")]).chain(claim).collect()
}

/// The permissions to create, change and remove objects of this kind, and to watch their pods.
fn to_change(kind: &Kind, namespace: Option<&str>) -> impl Iterator<Item = Permission> {
    let verbs = ["get", "create", "patch", "delete"].into_iter();
    let pods = kind.runs_pods().then(|| Permission::new("list", "", "pods", namespace));
    verbs.map(move |verb| Permission::with(verb, kind, namespace)).chain(pods)
}

/// Adds the permissions that are not there yet.
fn add(permissions: &mut Vec<Permission>, others: impl IntoIterator<Item = Permission>) {
    for permission in others {
        if !permissions.contains(&permission) {
            permissions.push(permission);
        }
    }
}

/// The permissions that these objects grant to others.
pub(super) fn given(objects: &[DynamicObject]) -> Vec<Permission> {
    let rules = objects.iter().flat_map(|object| {
        let rules = object.data.get("rules").cloned();
        let rules = rules.and_then(|rules| serde_json::from_value::<Vec<PolicyRule>>(rules).ok());
        let namespace = object.metadata.namespace.clone();
        rules.unwrap_or_default().into_iter().map(move |rule| (rule, namespace.clone()))
    });
    rules.flat_map(|(rule, namespace)| of_rule(&rule, namespace.as_deref())).collect()
}

fn of_rule(rule: &PolicyRule, namespace: Option<&str>) -> Vec<Permission> {
    let names: Vec<Option<String>> = match rule.resource_names.as_deref() {
        None | Some([]) => vec![None],
        Some(names) => names.iter().cloned().map(Some).collect(),
    };
    let mut permissions = Vec::new();
    for group in rule.api_groups.iter().flatten() {
        for resource in rule.resources.iter().flatten() {
            for verb in &rule.verbs {
                let permission = Permission::new(verb, group, resource, namespace);
                permissions.extend(
                    names
                        .iter()
                        .map(|name| Permission { name: name.clone(), ..permission.clone() }),
                );
            }
        }
    }
    permissions
}

async fn missing(
    api_server: &ApiServer,
    permissions: &[Permission],
) -> Result<Vec<Permission>, InstallationError> {
    let mut missing = Vec::new();
    for permission in permissions {
        if !allows(api_server, permission).await? {
            missing.push(permission.clone());
        }
    }
    Ok(missing)
}

async fn allows(
    api_server: &ApiServer,
    permission: &Permission,
) -> Result<bool, InstallationError> {
    let (resource, subresource) = match permission.resource.split_once('/') {
        Some((resource, subresource)) => (resource, Some(subresource.to_owned())),
        None => (permission.resource.as_str(), None),
    };
    let attributes = ResourceAttributes {
        verb: Some(permission.verb.clone()),
        group: Some(permission.group.clone()),
        resource: Some(resource.to_owned()),
        subresource,
        name: permission.name.clone(),
        namespace: permission.namespace.clone(),
        ..ResourceAttributes::default()
    };
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(attributes),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let reviews = Api::<SelfSubjectAccessReview>::all(api_server.client());
    let params = PostParams::default();
    let review = api_server.ask(reviews.create(&params, &review)).await;
    let review = review.doing(|| "check the permissions".to_owned())?;
    Ok(review.status.is_some_and(|status| status.allowed))
}
