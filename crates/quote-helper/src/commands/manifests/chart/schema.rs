//! `values.schema.json` of the chart, with which Helm checks values.

use kubernetes::manifests::Component;
use serde_json::{Map, Value as Json, json};

use super::value::{Kind, Value};

/// A quantity of Kubernetes.
const AMOUNT: &str = "[0-9][0-9.]*(m|k|[KMGTPE]i?|[eE][0-9]+)?";

/// The schema. Helm gives each chart the values `global` of the charts that use it.
pub(super) fn schema(values: &[Value]) -> Json {
    let properties = values.iter().map(|value| (value.name.clone(), property(value)));
    let global = ("global".to_owned(), json!({ "type": "object" }));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Values of the chart sgx-quote-helper",
        "type": "object",
        "properties": properties.chain([global]).collect::<Map<_, _>>(),
        "additionalProperties": false,
    })
}

fn property(value: &Value) -> Json {
    let mut schema = match value.kind {
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Integer => range(&value.option),
        Kind::Integers => json!({ "type": "array", "items": range(&value.option) }),
        Kind::Text if !value.names.is_empty() => {
            let unset = (value.default == "").then(String::new);
            let names: Vec<_> = unset.into_iter().chain(value.names.iter().cloned()).collect();
            json!({ "enum": names })
        }
        Kind::Text => text(&value.option, value.default == ""),
        Kind::File => json!({ "type": "string" }),
        Kind::Texts => json!({ "type": "array", "items": text(&value.option, false) }),
        Kind::Labels => labels(&value.option),
        Kind::Quantities => by_component(&json!({
            "type": "object",
            "properties": { "cpu": amount(), "memory": amount() },
            "additionalProperties": false,
        })),
        Kind::Affinities => by_component(&json!({ "type": "object" })),
        Kind::Tolerations => json!({ "type": "array", "items": toleration() }),
    };
    let fields = schema.as_object_mut().unwrap();
    fields.insert("description".to_owned(), json!(value.description));
    fields.insert("default".to_owned(), value.default.clone());
    schema
}

/// The numbers of an option, which must be those of its parser.
fn range(option: &str) -> Json {
    let (minimum, maximum) = match option {
        "first-uid" => (1000, 0x7fff_fff0_u32),
        "device-groups" => (0, 0xffff_fffe),
        "webhook-replicas" => (1, 100),
        _ => panic!("--{option} has no range here"),
    };
    json!({ "type": "integer", "minimum": minimum, "maximum": maximum })
}

/// The texts of an option, which must be those of its parser.
fn text(option: &str, may_be_empty: bool) -> Json {
    let name = "[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*";
    let keys = "(api-key|user-token-hash|admin-token-hash)";
    let profile = "(azure|intel|aliyun)(=[0-9][0-9.]* ?[A-Za-z]*)?";
    let pattern = match option {
        "image-pull-secret" | "priority-class" => name.to_owned(),
        "image" => "[!-~]+".to_owned(),
        "resource-profile" => format!("{profile}(,{profile})*"),
        "pccs-url" => "https?://[!-~]+".to_owned(),
        "pccs-source" => "https?://[!-~]+|pcs|thim|azure".to_owned(),
        "pccs-storage" => AMOUNT.to_owned(),
        "software-epc" => "[0-9][0-9.]* ?[A-Za-z]*".to_owned(),
        "pccs-secret" => format!("{name}(={keys}(,{keys})*)?"),
        _ => panic!("--{option} has no pattern here"),
    };
    let pattern = if may_be_empty { format!("^({pattern})?$") } else { format!("^({pattern})$") };
    json!({ "type": "string", "pattern": pattern })
}

/// A map from labels or annotations to their values. The add-on's own cannot be set.
fn labels(option: &str) -> Json {
    let mut schema = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    if option != "node-selector" {
        let own = "^(app\\.kubernetes\\.io/(managed-by|name|part-of)|sgx-quote-helper/.*\
                   |pod-security\\.kubernetes\\.io/enforce)$";
        schema["propertyNames"] = json!({ "not": { "pattern": own } });
    }
    schema
}

/// A map from components to values of this schema.
fn by_component(value: &Json) -> Json {
    let components = Component::ALL.map(|component| (component.name().to_owned(), value.clone()));
    json!({
        "type": "object",
        "properties": Map::from_iter(components),
        "additionalProperties": false,
    })
}

fn amount() -> Json {
    json!({ "type": "string", "pattern": format!("^({AMOUNT})$") })
}

/// As of pods, in Kubernetes.
fn toleration() -> Json {
    json!({
        "type": "object",
        "properties": {
            "key": { "type": "string" },
            "operator": { "enum": ["Exists", "Equal"] },
            "value": { "type": "string" },
            "effect": { "enum": ["NoSchedule", "PreferNoSchedule", "NoExecute"] },
            "tolerationSeconds": { "type": "integer" },
        },
        "additionalProperties": false,
    })
}
