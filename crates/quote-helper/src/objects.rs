//! Prints Kubernetes objects.

use serde::Serialize;
use serde_json::json;

use crate::output::{self, Format};

pub(crate) const FORMATS: [Format; 2] = [Format::Yaml, Format::Json];

/// Prints the objects: in JSON one object or a List, as kubectl reads it, else a YAML document
/// each.
pub(crate) fn print(format: Format, objects: &[impl Serialize]) -> anyhow::Result<()> {
    match (format, objects) {
        (Format::Json, [object]) => output::structured(format, object),
        (Format::Json, _) => {
            let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
            output::structured(format, &list)
        }
        (Format::Yaml | Format::Text, _) => {
            output::document(&serde_saphyr::to_string_multiple(objects)?)
        }
    }
}
