//! Objects to compare.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kubernetes_yaml::Yaml;
use serde_json::{Value, json};

const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// The objects in YAML by kind, namespace and name, without the differences that docs/helm.md
/// names: the label of who manages them, and the namespace, which is Helm's. JSON is compared as
/// such.
pub(crate) fn objects(yaml: &str) -> BTreeMap<String, Value> {
    let values = Yaml::parse(yaml).unwrap().values().unwrap();
    let objects = values.into_iter().filter(|it| !it.is_null() && it["kind"] != "Namespace");
    objects.map(comparable).map(|object| (name(&object), object)).collect()
}

fn name(object: &Value) -> String {
    let metadata = &object["metadata"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    [&object["kind"], &metadata["namespace"], &metadata["name"]].map(text).join(" ")
}

fn comparable(mut object: Value) -> Value {
    set_manager(&mut object);
    if let Some(settings) = object.pointer_mut("/data/settings.json") {
        *settings = serde_json::from_str(settings.as_str().unwrap()).unwrap();
    }
    if let Some(deployment) = object.pointer_mut("/data/deployment.json") {
        let text = STANDARD.decode(deployment.as_str().unwrap()).unwrap();
        *deployment = serde_json::from_slice(&text).unwrap();
    }
    object
}

fn set_manager(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(manager) = fields.get_mut(MANAGED_BY) {
                *manager = json!("somebody");
            }
            fields.values_mut().for_each(set_manager);
        }
        Value::Array(items) => items.iter_mut().for_each(set_manager),
        _ => {}
    }
}

/// The paths at which two values differ, with both.
pub(crate) fn differences(path: &str, one: &Value, other: &Value) -> Vec<String> {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let keys: std::collections::BTreeSet<_> = one.keys().chain(other.keys()).collect();
            let get = |fields: &serde_json::Map<String, Value>, key: &str| {
                fields.get(key).cloned().unwrap_or_default()
            };
            let each = keys.into_iter().flat_map(|key| {
                differences(&format!("{path}.{key}"), &get(one, key), &get(other, key))
            });
            each.collect()
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let pairs = one.iter().zip(other).enumerate();
            let each = pairs.flat_map(|(index, (one, other))| {
                differences(&format!("{path}[{index}]"), one, other)
            });
            each.collect()
        }
        _ if one == other => Vec::new(),
        _ => vec![format!("{path}: manifests {one}, chart {other}")],
    }
}
