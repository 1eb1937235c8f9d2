//! Numbers and booleans where the API server requires strings.

use serde_json::Value;

use super::SourceText;
use super::path::{path, step};

/// Converts them to strings, with their text in the file, and warns.
pub(super) fn write(template: &mut Value, written: SourceText<'_>) -> Vec<String> {
    let mut warnings = Vec::new();
    for pointer in places(template) {
        let Some(value) = template.pointer_mut(&pointer) else { continue };
        let kind = match value {
            Value::Number(_) => "number",
            Value::Bool(_) => "boolean",
            _ => continue,
        };
        let text = written(&pointer).unwrap_or_else(|| value.to_string());
        warnings.push(format!(
            "{} is the {kind} {text}, where the API server takes only strings; {text:?} was \
             written",
            path(&pointer)
        ));
        *value = Value::String(text);
    }
    warnings
}

/// The places of strings that people write as numbers.
fn places(template: &Value) -> Vec<String> {
    let mut places = Vec::new();
    for map in ["/metadata/annotations", "/metadata/labels", "/spec/nodeSelector"] {
        let fields = template.pointer(map).and_then(Value::as_object).into_iter().flatten();
        places.extend(fields.map(|(name, _)| step(map, name)));
    }
    for containers in ["/spec/initContainers", "/spec/containers"] {
        for container in items(template, containers) {
            for list in ["/command", "/args"] {
                places.extend(items(template, &format!("{container}{list}")));
            }
            let variables = items(template, &format!("{container}/env")).into_iter();
            places.extend(variables.map(|variable| format!("{variable}/value")));
        }
    }
    places
}

/// The pointers of the items in a list.
fn items(template: &Value, list: &str) -> Vec<String> {
    let count = template.pointer(list).and_then(Value::as_array).map_or(0, Vec::len);
    (0..count).map(|index| format!("{list}/{index}")).collect()
}
