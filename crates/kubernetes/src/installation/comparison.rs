//! Comparison of objects.

use kube::core::DynamicObject;
use serde_json::{Map, Value, json};
use similar::TextDiff;

/// The annotation with the copy that `kubectl apply` keeps, even of Secrets.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Metadata that the API server sets.
const BOOKKEEPING: [&str; 6] =
    ["creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"];

/// True if the objects differ only in fields that the cluster sets.
pub(super) fn is_same(one: &DynamicObject, other: &DynamicObject) -> bool {
    comparable(one) == comparable(other)
}

/// The difference as a unified diff. Values of Secrets are masked; changed ones are marked.
pub(super) fn difference(
    live: Option<&DynamicObject>,
    desired: &DynamicObject,
    name: &str,
) -> String {
    let wanted_comparable = comparable(desired);
    let live_comparable = live.map(comparable);
    let shown_live = live_comparable.as_ref().map(|live| yaml(&masked(live, None)));
    let shown_wanted = yaml(&masked(&wanted_comparable, live_comparable.as_ref()));
    let from = if live.is_some() { name } else { "/dev/null" };
    let shown_live = shown_live.unwrap_or_default();
    let diff = TextDiff::from_lines(&shown_live, &shown_wanted);
    diff.unified_diff().header(from, name).to_string()
}

fn comparable(object: &DynamicObject) -> Value {
    let mut value = serde_json::to_value(object).unwrap_or_default();
    if let Some(fields) = value.as_object_mut() {
        fields.remove("status");
    }
    let metadata = value.get_mut("metadata").and_then(Value::as_object_mut);
    if let Some(metadata) = metadata {
        metadata.retain(|field, _| !BOOKKEEPING.contains(&field.as_str()));
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.retain(|name, _| {
                name != LAST_APPLIED
                    && !name.starts_with("deployment.kubernetes.io/")
                    && !name.starts_with("deprecated.daemonset.")
            });
        }
        metadata.retain(|_, value| value.as_object().is_none_or(|map| !map.is_empty()));
    }
    value
}

/// The object without secret values.
fn masked(object: &Value, before: Option<&Value>) -> Value {
    let mut object = object.clone();
    if object.get("kind").and_then(Value::as_str) != Some("Secret") {
        return object;
    }
    for field in ["data", "stringData"] {
        if let Some(entries) = object.get_mut(field).and_then(Value::as_object_mut) {
            mask(entries, before.and_then(|before| before.get(field)));
        }
    }
    object
}

fn mask(entries: &mut Map<String, Value>, before: Option<&Value>) {
    for (key, value) in entries {
        let changes = before.and_then(|before| before.get(key)).is_some_and(|old| old != value);
        *value = json!(if changes { "*** (another one)" } else { "***" });
    }
}

fn yaml(value: &Value) -> String {
    serde_saphyr::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> DynamicObject {
        serde_json::from_value(value).unwrap()
    }

    fn secret(value: &str) -> DynamicObject {
        let copy = format!("{{\"data\":{{\"key\":\"{value}\"}}}}");
        object(json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": { "name": "root", "annotations": { LAST_APPLIED: copy } },
            "data": { "key": value, "constant": "c2FtZQ==" },
        }))
    }

    #[test]
    fn fields_of_the_cluster_are_not_compared() {
        let ours = json!({
            "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": { "name": "a" },
            "spec": { "minReadySeconds": 1 },
        });
        let mut live = ours.clone();
        live["metadata"]["resourceVersion"] = json!("17");
        live["metadata"]["uid"] = json!("c0ffee");
        live["metadata"]["generation"] = json!(2);
        live["metadata"]["managedFields"] = json!([]);
        live["metadata"]["annotations"] =
            json!({ "deprecated.daemonset.template.generation": "2" });
        live["status"] = json!({ "numberReady": 1 });
        let [ours, live] = [ours, live].map(object);
        assert!(is_same(&ours, &live));
        assert_eq!(difference(Some(&live), &ours, "DaemonSet a"), "");
    }

    #[test]
    fn a_change_is_shown_with_its_context() {
        let daemon_set = |image: &str| {
            object(json!({
                "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": { "name": "a" },
                "spec": { "image": image },
            }))
        };
        let [old, new] = ["old", "new"].map(daemon_set);
        assert!(!is_same(&old, &new));
        let shown = difference(Some(&old), &new, "DaemonSet a");
        assert!(shown.starts_with("--- DaemonSet a\n+++ DaemonSet a\n@@"), "{shown}");
        assert!(shown.contains("\n-  image: old\n+  image: new\n"), "{shown}");
    }

    #[test]
    fn a_new_object_is_shown_as_a_whole() {
        let shown = difference(None, &secret("c2VjcmV0"), "Secret root");
        assert!(shown.starts_with("--- /dev/null\n+++ Secret root\n"), "{shown}");
        assert!(shown.contains("+  name: root\n"), "{shown}");
    }

    #[test]
    fn secrets_are_masked() {
        let [old, new] = [secret("b2xkIHNlY3JldA=="), secret("bmV3IHNlY3JldA==")];
        assert!(!is_same(&old, &new));
        for shown in [difference(Some(&old), &new, "Secret"), difference(None, &new, "Secret")] {
            assert!(!shown.contains("b2xk") && !shown.contains("bmV3"), "{shown}");
            assert!(shown.contains("key: "), "that it changes is seen: {shown}");
        }
        assert_eq!(difference(Some(&old), &old, "Secret"), "");
    }
}
