//! What all objects have in common.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::DynamicObject;
use serde::Serialize;

use super::AddOn;

/// The label and its value that all objects of the add-on have.
pub const PART_OF: (&str, &str) = ("app.kubernetes.io/part-of", "sgx-quote-helper");
/// The label and its value that say that `quote-helper` makes, changes and removes the object.
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

/// Metadata of an object that is in no namespace.
pub(super) fn cluster_metadata(name: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        labels: Some(labels().collect()),
        ..ObjectMeta::default()
    }
}

/// The typed object as one of any type.
pub(super) fn object(typed: &impl Serialize) -> Result<DynamicObject, serde_json::Error> {
    serde_json::from_value(serde_json::to_value(typed)?)
}
