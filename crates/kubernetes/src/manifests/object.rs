//! Metadata of the add-on's objects.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::DynamicObject;
use serde::Serialize;
use serde_json::{Map, Value};

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

    /// Adds the chosen labels and annotations to an object and to its pods. The add-on's own take
    /// precedence.
    pub(super) fn add_metadata(&self, object: &mut DynamicObject) {
        let metadata = &mut object.metadata;
        for (chosen, present) in
            [(&self.labels, &mut metadata.labels), (&self.annotations, &mut metadata.annotations)]
        {
            if !chosen.is_empty() {
                let present = present.get_or_insert_default();
                let own = std::mem::replace(present, chosen.clone());
                present.extend(own);
            }
        }
        let Some(pod) = object.data.pointer_mut("/spec/template/metadata") else { return };
        for (chosen, field) in [(&self.labels, "labels"), (&self.annotations, "annotations")] {
            let Some(pod) = pod.as_object_mut().filter(|_| !chosen.is_empty()) else { continue };
            let present = pod.entry(field).or_insert_with(|| Value::Object(Map::new()));
            let Some(present) = present.as_object_mut() else { continue };
            for (key, value) in chosen {
                present.entry(key).or_insert_with(|| Value::String(value.clone()));
            }
        }
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
