//! Affinities from files.

use std::path::Path;

use anyhow::{Context, bail};
use k8s_openapi::api::core::v1::Affinity;
use serde_json::Value;

use crate::files;

/// Reads the affinity in this file. Fields that Kubernetes does not know are refused.
pub(super) fn read(path: &Path) -> anyhow::Result<Affinity> {
    let file = || format!("{} is not an affinity", files::Input(path));
    let given: Value = serde_saphyr::from_slice(&files::read(path)?).with_context(file)?;
    parse(&given).with_context(file)
}

fn parse(given: &Value) -> anyhow::Result<Affinity> {
    if !given.is_object() {
        bail!("write the fields nodeAffinity, podAffinity or podAntiAffinity");
    }
    let affinity: Affinity = serde_path_to_error::deserialize(given)?;
    match unknown_field(given, &serde_json::to_value(&affinity)?) {
        Some(field) => bail!("unknown field {field}"),
        None => Ok(affinity),
    }
}

/// The path of a field in `given` that `known` lacks, since its type does not have it.
fn unknown_field(given: &Value, known: &Value) -> Option<String> {
    match (given, known) {
        (Value::Object(fields), _) => fields.iter().find_map(|(name, value)| {
            let below = match known.get(name) {
                Some(known) => unknown_field(value, known)?,
                None if value.is_null() => return None,
                None => String::new(),
            };
            Some(format!("{name}{}{below}", if below.is_empty() { "" } else { "." }))
        }),
        (Value::Array(items), Value::Array(known)) => {
            items.iter().zip(known).find_map(|(item, known)| unknown_field(item, known))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn affinities_keep_their_meaning() {
        let term = json!({
            "matchExpressions": [{ "key": "pool", "operator": "In", "values": ["sgx"] }],
        });
        let required = json!({ "nodeSelectorTerms": [term] });
        let given = json!({
            "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": required },
            "podAffinity": null,
        });
        let parsed = serde_json::to_value(parse(&given).unwrap()).unwrap();
        assert_eq!(parsed["nodeAffinity"], given["nodeAffinity"]);
        assert_eq!(parse(&json!({})).unwrap(), Affinity::default());
    }

    #[test]
    fn unknown_and_misplaced_fields_are_named() {
        let term = json!({ "matchExpression": [] });
        let required = json!({ "nodeSelectorTerms": [term] });
        for (given, says) in [
            (json!({ "nodeaffinity": {} }), "unknown field nodeaffinity"),
            (json!({ "affinity": { "nodeAffinity": {} } }), "unknown field affinity"),
            (
                json!({ "nodeAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": required,
                } }),
                "nodeSelectorTerms.matchExpression",
            ),
            (json!({ "podAffinity": 7 }), "podAffinity"),
            (json!([]), "nodeAffinity, podAffinity or podAntiAffinity"),
        ] {
            let error = format!("{:#}", parse(&given).unwrap_err());
            assert!(error.contains(says), "{given}: {error}");
        }
    }
}
