//! Misspelled names of fields that injection reads.

use serde_json::Value;

use super::path::path;

/// The fields that injection reads: their place and names. `*` stands for each item of a list.
const FIELDS: [(&str, &[&str]); 6] = [
    ("", &["metadata", "spec"]),
    ("/metadata", &["annotations", "labels"]),
    ("/spec", &["containers", "initContainers", "tolerations", "volumes"]),
    ("/spec/initContainers/*", CONTAINER),
    ("/spec/containers/*", CONTAINER),
    ("/spec/containers/*/resources", &["limits", "requests"]),
];
const CONTAINER: &[&str] = &["env", "resources", "volumeMounts"];
/// The maximum length of a name to compare.
const MAX_LENGTH: usize = 30;

/// Warns of misspelled fields in a pod that uses SGX.
pub(super) fn misspelled(template: &Value) -> Vec<String> {
    let mut warnings = Vec::new();
    if !mentions_sgx(template) {
        return warnings;
    }
    for (place, names) in FIELDS {
        for (pointer, object) in objects(template, place) {
            let fields = object.as_object().into_iter().flatten();
            for (field, _) in fields.filter(|(field, _)| !names.contains(&field.as_str())) {
                if let Some(name) = names.iter().find(|name| is_near(field, name)) {
                    let path = path(&format!("{pointer}/{field}"));
                    warnings.push(format!("{path} is not a field of a pod; write {name}"));
                }
            }
        }
    }
    warnings
}

/// True if any key contains "sgx".
fn mentions_sgx(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields
            .iter()
            .any(|(name, field)| name.to_ascii_lowercase().contains("sgx") || mentions_sgx(field)),
        Value::Array(items) => items.iter().any(mentions_sgx),
        _ => false,
    }
}

fn is_near(field: &str, name: &str) -> bool {
    let distance = if name.len() > 5 { 2 } else { 1 };
    field.len() <= MAX_LENGTH
        && (field.eq_ignore_ascii_case(name) || strsim::osa_distance(field, name) <= distance)
}

/// The values at a place, each with its pointer.
fn objects<'a>(template: &'a Value, place: &str) -> Vec<(String, &'a Value)> {
    let mut found = vec![(String::new(), template)];
    for step in place.split('/').skip(1) {
        found = found
            .into_iter()
            .flat_map(|(pointer, value)| match (step, value) {
                ("*", Value::Array(items)) => {
                    let items = items.iter().enumerate();
                    items.map(|(index, item)| (format!("{pointer}/{index}"), item)).collect()
                }
                _ => {
                    let field = value.get(step).map(|field| (format!("{pointer}/{step}"), field));
                    Vec::from_iter(field)
                }
            })
            .collect();
    }
    found
}
