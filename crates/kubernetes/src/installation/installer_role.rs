//! The ClusterRole of an account that installs, upgrades, rolls back and removes the add-on.

use std::collections::BTreeMap;

use k8s_openapi::api::rbac::v1::{ClusterRole, PolicyRule};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::permissions;
use crate::manifests::{AddOn, Cluster, InjectionMethod, PART_OF};

/// The name of the ClusterRole.
pub const INSTALLER_ROLE: &str = "sgx-quote-helper-installer";

/// The ClusterRole with all permissions that the installer checks, for all settings. It has no
/// label of installed objects, so that it stays when these are removed.
///
/// # Errors
/// If an object of the add-on cannot be serialized.
pub fn installer_role() -> Result<ClusterRole, serde_json::Error> {
    let injection = Some(InjectionMethod::Webhook);
    let add_on = AddOn { injection, quote_service: true, ..AddOn::default() };
    let objects = add_on.objects(&Cluster::default())?;
    let (part_of, name) = PART_OF;
    Ok(ClusterRole {
        metadata: ObjectMeta {
            name: Some(INSTALLER_ROLE.to_owned()),
            labels: Some([(part_of.to_owned(), name.to_owned())].into()),
            ..ObjectMeta::default()
        },
        rules: Some(rules(&permissions::of_installer(&objects))),
        ..ClusterRole::default()
    })
}

/// The permissions as rules: one for the resources of a group that have the same verbs.
fn rules(permissions: &[super::Permission]) -> Vec<PolicyRule> {
    let mut verbs = BTreeMap::<_, Vec<String>>::new();
    for permission in permissions {
        let object = (&permission.group, &permission.name, &permission.resource);
        verbs.entry(object).or_default().push(permission.verb.clone());
    }
    let mut resources = BTreeMap::<_, Vec<String>>::new();
    for ((group, name, resource), mut verbs) in verbs {
        verbs.sort();
        resources.entry((group, name, verbs)).or_default().push(resource.clone());
    }
    let rules = resources.into_iter().map(|((group, name, verbs), resources)| PolicyRule {
        api_groups: Some(vec![group.clone()]),
        resources: Some(resources),
        resource_names: name.as_ref().map(|name| vec![name.clone()]),
        verbs,
        ..PolicyRule::default()
    });
    rules.collect()
}
