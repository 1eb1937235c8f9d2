//! Namespaces that were made for the add-on, and what others have put there.

use kube::ResourceExt;
use kube::api::ListParams;
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, core::DynamicObject};

use super::error::{ApiContext, InstallationError};
use super::inventory::is_managed;
use super::kind::ObjectName;
use crate::api_server::{ApiError, ApiServer};

/// What applications are made of. It would be gone with its namespace.
const APPLICATIONS: &[(&str, &str, &str)] = &[
    ("", "v1", "Pod"),
    ("", "v1", "PersistentVolumeClaim"),
    ("apps", "v1", "DaemonSet"),
    ("apps", "v1", "Deployment"),
    ("apps", "v1", "StatefulSet"),
    ("batch", "v1", "Job"),
    ("batch", "v1", "CronJob"),
];

/// Namespaces that are ours.
#[derive(Default)]
pub(super) struct Namespaces {
    /// Those that can go.
    pub(super) unused: Vec<ObjectName>,
    /// Those in which others have something.
    pub(super) used: Vec<ObjectName>,
}

impl Namespaces {
    /// Looks which of these namespaces others use. Our own objects are gone from them already.
    pub(super) async fn sort(
        api_server: &ApiServer,
        namespaces: Vec<ObjectName>,
    ) -> Result<Self, InstallationError> {
        let mut sorted = Self::default();
        for namespace in namespaces {
            let used = is_used(api_server, &namespace.name).await;
            match used.doing(|| format!("look what else is in the namespace {}", namespace.name))? {
                true => sorted.used.push(namespace),
                false => sorted.unused.push(namespace),
            }
        }
        Ok(sorted)
    }
}

async fn is_used(api_server: &ApiServer, namespace: &str) -> Result<bool, ApiError> {
    for (group, version, kind) in APPLICATIONS {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        let api = Api::<DynamicObject>::namespaced_with(api_server.client(), namespace, &resource);
        match api_server.ask(api.list_metadata(&ListParams::default())).await {
            Ok(list) if list.items.iter().any(|it| !is_managed(it.labels())) => return Ok(true),
            // Not all API servers know all kinds.
            Ok(_) | Err(ApiError::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}
