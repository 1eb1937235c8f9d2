//! The namespace, and the ConfigMap with the settings.

use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::DynamicObject;

use super::object::{labels, object};
use super::settings::{AddOn, SETTINGS, SETTINGS_KEY};

/// The namespace, and the ConfigMap with the settings.
pub(super) fn objects(add_on: &AddOn) -> Result<Vec<DynamicObject>, serde_json::Error> {
    let mut objects = Vec::new();
    if !is_of_kubernetes(&add_on.namespace) {
        objects.push(object(&namespace(add_on))?);
    }
    let settings = serde_json::to_string_pretty(add_on)?;
    objects.push(object(&ConfigMap {
        metadata: add_on.metadata(SETTINGS),
        data: Some([(SETTINGS_KEY.to_owned(), settings)].into()),
        ..ConfigMap::default()
    })?);
    Ok(objects)
}

/// The add-on's pods mount host paths, which requires this Pod Security Standard.
fn namespace(add_on: &AddOn) -> Namespace {
    let level = ("pod-security.kubernetes.io/enforce".to_owned(), "privileged".to_owned());
    Namespace {
        metadata: ObjectMeta {
            name: Some(add_on.namespace.clone()),
            labels: Some(labels().chain([level]).collect()),
            ..ObjectMeta::default()
        },
        ..Namespace::default()
    }
}

/// True for namespaces of Kubernetes itself, which the add-on does not create.
fn is_of_kubernetes(namespace: &str) -> bool {
    namespace == "default" || namespace.starts_with("kube-")
}
