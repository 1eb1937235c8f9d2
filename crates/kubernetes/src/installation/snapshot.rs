//! The installed objects as an earlier version applied them, which recorded no revisions: the
//! fields that belong to the field manager.

use kube::core::DynamicObject;
use serde_json::{Map, Value, json};

use super::apply::FIELD_MANAGER;
use super::error::{ApiContext, InstallationError};
use super::kind::ObjectName;
use crate::api_server::ApiServer;

/// The deepest level of fields in an object.
const MAX_DEPTH: usize = 64;

/// These objects as they were applied; nothing if one of them was made by other means, so that the
/// applied fields are not known.
pub(super) async fn snapshot(
    api_server: &ApiServer,
    names: &[ObjectName],
) -> Result<Vec<DynamicObject>, InstallationError> {
    let mut objects = Vec::new();
    for name in names {
        let live = api_server.live(name).await.doing(|| format!("look for {name}"))?;
        let Some(live) = live else { continue };
        match applied(&live) {
            Some(object) => objects.push(object),
            None => return Ok(Vec::new()),
        }
    }
    Ok(objects)
}

/// The applied fields of the object.
fn applied(live: &DynamicObject) -> Option<DynamicObject> {
    let entries = live.metadata.managed_fields.as_ref()?;
    let is_ours = |manager: Option<&str>, operation: Option<&str>| {
        manager == Some(FIELD_MANAGER) && operation == Some("Apply")
    };
    let ours = entries
        .iter()
        .find(|entry| is_ours(entry.manager.as_deref(), entry.operation.as_deref()))?;
    let live = serde_json::to_value(live).ok()?;
    let mut applied = extract(&live, &ours.fields_v1.as_ref()?.0, MAX_DEPTH)?;
    let object = applied.as_object_mut()?;
    copy(&["apiVersion", "kind"], &live, object);
    let metadata = object.entry("metadata").or_insert_with(|| json!({})).as_object_mut()?;
    copy(&["name", "namespace"], live.get("metadata")?, metadata);
    serde_json::from_value(applied).ok()
}

/// Copies the fields that exist.
fn copy(fields: &[&str], from: &Value, to: &mut Map<String, Value>) {
    for field in fields {
        if let Some(value) = from.get(*field) {
            to.insert((*field).to_owned(), value.clone());
        }
    }
}

/// The parts of the value that the fields (`FieldsV1`) name.
fn extract(value: &Value, fields: &Value, depth: usize) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    let fields = fields.as_object()?;
    if fields.keys().all(|field| field == ".") {
        return Some(value.clone());
    }
    match value {
        Value::Object(entries) => {
            let parts = fields.iter().filter_map(|(field, below)| {
                let name = field.strip_prefix("f:")?;
                Some((name.to_owned(), extract(entries.get(name)?, below, depth)?))
            });
            Some(Value::Object(parts.collect::<Map<_, _>>()))
        }
        Value::Array(items) => {
            // In the order of the list, which may matter.
            let parts = items.iter().filter_map(|item| {
                let below = fields.iter().find(|(field, _)| is_item(item, field))?.1;
                extract(item, below, depth)
            });
            Some(Value::Array(parts.collect()))
        }
        _ => None,
    }
}

/// True if the field is the item: `k:` with the values of its keys, or `v:` with its value.
fn is_item(item: &Value, field: &str) -> bool {
    let parsed = |text: &str| serde_json::from_str::<Value>(text).ok();
    if let Some(keys) = field.strip_prefix("k:").and_then(parsed) {
        return keys
            .as_object()
            .is_some_and(|keys| keys.iter().all(|(key, value)| item.get(key) == Some(value)));
    }
    field.strip_prefix("v:").and_then(parsed).is_some_and(|value| *item == value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn live(manager: &str) -> DynamicObject {
        let fields = json!({
            "f:metadata": { "f:labels": { "f:app": {} } },
            "f:spec": {
                "f:containers": {
                    "k:{\"name\":\"main\"}": {
                        ".": {}, "f:name": {}, "f:image": {}, "f:args": {},
                        "f:ports": {
                            "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {
                                ".": {}, "f:containerPort": {}, "f:protocol": {},
                            },
                        },
                    },
                },
                "f:finalizers": { "v:\"a\"": {} },
            },
        });
        let entry = json!({
            "manager": manager, "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": fields,
        });
        let labels = json!({ "app": "a", "others": "b" });
        serde_json::from_value(json!({
            "apiVersion": "v1", "kind": "Thing",
            "metadata": {
                "name": "thing", "namespace": "sgx", "uid": "1", "labels": labels,
                "managedFields": [entry],
            },
            "spec": {
                "containers": [
                    { "name": "injected", "image": "b" },
                    {
                        "name": "main", "image": "a", "args": ["one", "two"],
                        "terminationMessagePath": "/dev/termination-log",
                        "ports": [{ "containerPort": 80, "protocol": "TCP", "hostPort": 7 }],
                    },
                ],
                "finalizers": ["a", "b"],
                "defaulted": true,
            },
            "status": { "ready": true },
        }))
        .unwrap()
    }

    #[test]
    fn only_applied_fields_are_taken() {
        let expected: DynamicObject = serde_json::from_value(json!({
            "apiVersion": "v1", "kind": "Thing",
            "metadata": { "name": "thing", "namespace": "sgx", "labels": { "app": "a" } },
            "spec": {
                "containers": [{
                    "name": "main", "image": "a", "args": ["one", "two"],
                    "ports": [{ "containerPort": 80, "protocol": "TCP" }],
                }],
                "finalizers": ["a"],
            },
        }))
        .unwrap();
        assert_eq!(applied(&live(FIELD_MANAGER)), Some(expected));
    }

    #[test]
    fn objects_of_other_managers_are_unknown() {
        assert_eq!(applied(&live("kubectl")), None);
    }
}
