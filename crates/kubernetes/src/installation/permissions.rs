//! The permissions that an installation needs, checked before any change.

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use k8s_openapi::api::rbac::v1::PolicyRule;
use kube::Api;
use kube::api::PostParams;
use kube::core::DynamicObject;

use super::error::{ApiContext, InstallationError};
use super::kind::{KINDS, ObjectName};
use super::lease;
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
        for verb in ["get", "create", "patch", "delete"] {
            let permission = Permission::with(verb, kind, namespace.as_deref());
            if !needed.contains(&permission) {
                needed.push(permission);
            }
        }
        let pods = Permission::new("list", "", "pods", namespace.as_deref());
        if kind.runs_pods() && !needed.contains(&pods) {
            needed.push(pods);
        }
    }
    needed
}

/// The permissions to remove these objects.
pub(super) fn to_remove(names: &[ObjectName]) -> Vec<Permission> {
    let mut needed = Vec::new();
    for ObjectName { kind, namespace, .. } in names {
        for verb in ["get", "delete"] {
            let permission = Permission::with(verb, kind, namespace.as_deref());
            if !needed.contains(&permission) {
                needed.push(permission);
            }
        }
    }
    needed
}

/// The permissions to find installed objects and to hold the Lease.
pub(super) fn to_find() -> Vec<Permission> {
    let list = KINDS.iter().map(|kind| Permission::with("list", kind, None));
    let claim = ["get", "create", "update", "delete"]
        .into_iter()
        .map(|verb| Permission::new(verb, "coordination.k8s.io", "leases", Some(lease::NAMESPACE)));
    list.chain(claim).collect()
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
