//! The add-on's namespaces, and their use by others.

use kube::ResourceExt;
use kube::api::ListParams;
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, core::DynamicObject};

use super::error::{ApiContext, InstallationError};
use super::inventory::is_managed;
use super::kind::ObjectName;
use crate::api_server::{ApiError, ApiServer};

/// The kinds of applications, which a deletion of their namespace would delete.
const APPLICATIONS: &[(&str, &str, &str)] = &[
    ("", "v1", "Pod"),
    ("", "v1", "PersistentVolumeClaim"),
    ("apps", "v1", "DaemonSet"),
    ("apps", "v1", "Deployment"),
    ("apps", "v1", "StatefulSet"),
    ("batch", "v1", "Job"),
    ("batch", "v1", "CronJob"),
];

/// Namespaces of the add-on.
#[derive(Default)]
pub(super) struct Namespaces {
    /// Those to remove.
    pub(super) unused: Vec<ObjectName>,
    /// Those that others use.
    pub(super) used: Vec<ObjectName>,
}

impl Namespaces {
    /// Sorts these namespaces, from which the add-on's own objects are gone.
    pub(super) async fn sort(
        api_server: &ApiServer,
        namespaces: Vec<ObjectName>,
    ) -> Result<Self, InstallationError> {
        let mut sorted = Self::default();
        for namespace in namespaces {
            let used = is_used(api_server, &namespace.name).await;
            match used
                .doing(|| format!("list the other objects in the namespace {}", namespace.name))?
            {
                true => sorted.used.push(namespace),
                false => sorted.unused.push(namespace),
            }
        }
        Ok(sorted)
    }
}

/// The group and the resource of each kind that [`Namespaces::sort`] lists.
pub(super) fn application_resources() -> impl Iterator<Item = (&'static str, String)> {
    APPLICATIONS.iter().map(|(group, version, kind)| {
        (*group, ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind)).plural)
    })
}

async fn is_used(api_server: &ApiServer, namespace: &str) -> Result<bool, ApiError> {
    for (group, version, kind) in APPLICATIONS {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        let api = Api::<DynamicObject>::namespaced_with(api_server.client(), namespace, &resource);
        match api_server.ask(api.list_metadata(&ListParams::default())).await {
            Ok(list) if list.items.iter().any(|it| !is_managed(it.labels())) => return Ok(true),
            // Err(ApiError::NotFound(_)) => {} | API servers may not know all kinds.
            Ok(_) | Err(ApiError::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}
