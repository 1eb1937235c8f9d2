//! The state that an installation keeps in the cluster.

use k8s_openapi::api::core::v1::Secret;
use kube::core::DynamicObject;
use serde_json::Value;

use super::error::{ApiContext, InstallationError};
use super::helm;
use super::inventory::managed;
use super::kind::{KINDS, ObjectName};
use crate::api_server::ApiServer;
use crate::manifests::{AddOn, SETTINGS, SETTINGS_KEY, SOFTWARE_PLATFORM, SoftwarePlatformRoot};

/// The settings of the installation, if there is one.
///
/// # Errors
/// If the request fails, they are invalid, or Helm has installed the add-on.
pub async fn installed_add_on(api_server: &ApiServer) -> Result<Option<AddOn>, InstallationError> {
    let Some((settings, object)) = only(api_server, "ConfigMap", SETTINGS).await? else {
        helm::refuse(api_server).await?;
        return Ok(None);
    };
    let text = object.data.get("data").and_then(|data| data.get(SETTINGS_KEY));
    let parsed = match text.and_then(Value::as_str) {
        Some(text) => serde_json::from_str(text).map_err(|error| error.to_string()),
        None => Err(format!("it has no {SETTINGS_KEY}")),
    };
    parsed.map(Some).map_err(|cause| InstallationError::Settings { settings, cause })
}

/// The root of the software platform, if there is one.
///
/// # Errors
/// If the request fails, or it is damaged.
pub async fn installed_root(
    api_server: &ApiServer,
) -> Result<Option<SoftwarePlatformRoot>, InstallationError> {
    let Some((name, object)) = only(api_server, "Secret", SOFTWARE_PLATFORM).await? else {
        return Ok(None);
    };
    let root = object.try_parse::<Secret>().ok();
    match root.as_ref().and_then(SoftwarePlatformRoot::of_secret) {
        Some(root) => Ok(Some(root)),
        None => Err(InstallationError::DamagedRoot(name)),
    }
}

/// The add-on's only object of this kind and name, in any namespace.
async fn only(
    api_server: &ApiServer,
    kind: &str,
    name: &str,
) -> Result<Option<(ObjectName, DynamicObject)>, InstallationError> {
    let Some(kind) = KINDS.iter().find(|it| it.name() == kind) else { return Ok(None) };
    let params = managed().fields(&format!("metadata.name={name}"));
    let objects = api_server.list(&api_server.objects(kind, None), &params, |_| true).await;
    let objects = objects.doing(|| format!("list {}", kind.plural()))?;
    let mut found: Vec<_> = objects
        .into_iter()
        .filter_map(|object| {
            let metadata = &object.metadata;
            let namespace = metadata.namespace.as_deref();
            Some((ObjectName::new(kind, namespace, metadata.name.as_deref())?, object))
        })
        .collect();
    match found.len() {
        0 | 1 => Ok(found.pop()),
        _ => Err(InstallationError::SeveralInstallations(
            found.into_iter().map(|(name, _)| name).collect(),
        )),
    }
}
