//! Recorded objects as they fit the cluster of today.

use std::collections::BTreeSet;

use kube::core::DynamicObject;
use serde_json::Value;

use super::error::{ApiContext, InstallationError};
use super::installed::installed_root;
use super::kind::ObjectName;
use crate::api_server::ApiServer;
use crate::manifests::{TRUSTED_ROOT_KEY, VERIFICATION};

/// The objects with the root that the cluster has now, since a rollback keeps Secrets; without the
/// settings of verifiers in namespaces that no longer exist.
pub(super) async fn restored(
    api_server: &ApiServer,
    mut objects: Vec<DynamicObject>,
) -> Result<Vec<DynamicObject>, InstallationError> {
    let gone = gone_namespaces(api_server, &objects).await?;
    let namespace = |object: &DynamicObject| object.metadata.namespace.clone().unwrap_or_default();
    objects.retain(|object| !is_verification(object) || !gone.contains(&namespace(object)));
    let recorded = objects.iter().find_map(recorded_root);
    if let Some(recorded) = recorded
        && let Some(root) = installed_root(api_server).await?
        && root.certificate != recorded
    {
        for object in &mut objects {
            replace(&mut object.data, &recorded, &root.certificate);
        }
    }
    Ok(objects)
}

/// The namespaces of verifiers that do not exist, and are not among the objects.
async fn gone_namespaces(
    api_server: &ApiServer,
    objects: &[DynamicObject],
) -> Result<BTreeSet<String>, InstallationError> {
    let names: Vec<_> = objects.iter().filter_map(ObjectName::of).collect();
    let mut gone = BTreeSet::new();
    for name in objects.iter().filter(|object| is_verification(object)) {
        let Some(namespace) = &name.metadata.namespace else { continue };
        let namespace = ObjectName::namespace(namespace);
        let live = api_server.live(&namespace).await.doing(|| format!("look for {namespace}"))?;
        if live.is_none() && !names.contains(&namespace) {
            gone.insert(namespace.name);
        }
    }
    Ok(gone)
}

fn is_verification(object: &DynamicObject) -> bool {
    let is_config_map = object.types.as_ref().is_some_and(|types| types.kind == "ConfigMap");
    is_config_map && object.metadata.name.as_deref() == Some(VERIFICATION)
}

fn recorded_root(object: &DynamicObject) -> Option<String> {
    let data = object.data.get("data").filter(|_| is_verification(object))?;
    Some(data.get(TRUSTED_ROOT_KEY)?.as_str()?.to_owned())
}

/// Replaces each string that is `old`.
fn replace(value: &mut Value, old: &str, new: &str) {
    match value {
        Value::String(text) if text == old => new.clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, old, new)),
        Value::Object(fields) => fields.values_mut().for_each(|field| replace(field, old, new)),
        _ => {}
    }
}
