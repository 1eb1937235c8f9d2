//! The places of pods in objects.

use serde_json::Value;

use super::path::{path, step};

/// The kinds with a pod, in any version: group, kind, and JSON pointer to the pod.
const KINDS: [(&str, &str, &str); 11] = [
    ("", "Pod", ""),
    ("", "PodTemplate", "/template"),
    ("", "ReplicationController", "/spec/template"),
    ("batch", "Job", "/spec/template"),
    ("batch", "CronJob", "/spec/jobTemplate/spec/template"),
    ("apps", "Deployment", "/spec/template"),
    ("apps", "DaemonSet", "/spec/template"),
    ("apps", "ReplicaSet", "/spec/template"),
    ("apps", "StatefulSet", "/spec/template"),
    ("extensions", "Deployment", "/spec/template"),
    ("extensions", "DaemonSet", "/spec/template"),
];

/// A pod or a pod template in an object.
pub(super) struct PodLocation {
    /// Its JSON pointer.
    pub(super) pointer: String,
    /// The pointer of its object.
    pub(super) object: String,
    /// The object's name and a colon, if it is an item of a list.
    pub(super) owner: String,
    /// True if this kind is known to have a pod there.
    pub(super) is_known: bool,
}

impl PodLocation {
    /// The readable path below its object.
    pub(super) fn path(&self) -> String {
        path(self.pointer.strip_prefix(&self.object).unwrap_or_default())
    }
}

/// All pods of a document, which is an object or a list.
pub(super) fn find(document: &Value) -> Vec<PodLocation> {
    let mut places = Places(Vec::new());
    let text = |field| document.get(field).and_then(Value::as_str);
    if let (Some(version), Some(kind)) = (text("apiVersion"), text("kind")) {
        places.add_object(document, String::new(), String::new(), (version, kind));
    }
    places.0
}

struct Places(Vec<PodLocation>);

impl Places {
    /// Adds the pods of an object. Items of typed lists such as PodList may lack their kind.
    fn add_object(
        &mut self,
        object: &Value,
        pointer: String,
        owner: String,
        (version, kind): (&str, &str),
    ) {
        let items = object.get("items").and_then(Value::as_array);
        if let (Some(of), Some(items)) = (kind.strip_suffix("List"), items) {
            for (index, item) in items.iter().enumerate() {
                let text = |field| item.get(field).and_then(Value::as_str);
                let version = text("apiVersion").unwrap_or(version);
                let kind = text("kind").unwrap_or(of);
                let name = item.pointer("/metadata/name").and_then(Value::as_str);
                let owner = match name {
                    Some(name) => format!("{kind} {name:?}: "),
                    None => format!("item {index}: "),
                };
                self.add_object(item, format!("{pointer}/items/{index}"), owner, (version, kind));
            }
            return;
        }
        let group = version.rsplit_once('/').map_or("", |(group, _)| group);
        let known = KINDS.iter().find(|known| (known.0, known.1) == (group, kind));
        if let Some((_, _, below)) = known {
            if object.pointer(below).is_some() {
                let place = format!("{pointer}{below}");
                self.0.push(PodLocation { pointer: place, object: pointer, owner, is_known: true });
            }
            return;
        }
        let Value::Object(fields) = object else { return };
        for (name, field) in fields {
            self.search(field, step(&pointer, name), &pointer, &owner);
        }
    }

    /// Adds values that look like a pod template: they have a spec with a list of containers.
    fn search(&mut self, value: &Value, pointer: String, object: &str, owner: &str) {
        if value.pointer("/spec/containers").is_some_and(Value::is_array) {
            let [object, owner] = [object, owner].map(str::to_owned);
            self.0.push(PodLocation { pointer, object, owner, is_known: false });
            return;
        }
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    self.search(field, step(&pointer, name), object, owner);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.search(item, format!("{pointer}/{index}"), object, owner);
                }
            }
            _ => {}
        }
    }
}
