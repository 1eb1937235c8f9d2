//! Metadata of the add-on's objects.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::DynamicObject;
use serde::Serialize;

use super::AddOn;

/// The label of all objects of the add-on.
pub const PART_OF: (&str, &str) = ("app.kubernetes.io/part-of", "sgx-quote-helper");
/// The label of objects that `quote-helper` creates, changes and removes.
pub const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "quote-helper");

/// The labels of all objects.
pub(super) fn labels() -> impl Iterator<Item = (String, String)> {
    [PART_OF, MANAGED_BY].into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()))
}

impl AddOn {
    /// Metadata of an object in the namespace.
    pub(super) fn metadata(&self, name: &str) -> ObjectMeta {
        ObjectMeta { namespace: Some(self.namespace.clone()), ..cluster_metadata(name) }
    }
}

/// Metadata of a cluster-wide object.
pub(super) fn cluster_metadata(name: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        labels: Some(labels().collect()),
        ..ObjectMeta::default()
    }
}

/// The typed object as a dynamic one.
pub(super) fn object(typed: &impl Serialize) -> Result<DynamicObject, serde_json::Error> {
    serde_json::from_value(serde_json::to_value(typed)?)
}
