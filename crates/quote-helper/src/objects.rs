//! Prints Kubernetes objects.

use clap::ValueEnum;
use serde::Serialize;
use serde_json::json;

use crate::output;

/// The format of objects.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ObjectFormat {
    /// One document per object.
    Yaml,
    /// One object, or a list of kind List, as kubectl reads it.
    Json,
}

/// Prints the objects.
pub(crate) fn print(format: ObjectFormat, objects: &[impl Serialize]) -> anyhow::Result<()> {
    match (format, objects) {
        (ObjectFormat::Yaml, _) => output::document(&serde_saphyr::to_string_multiple(objects)?),
        (ObjectFormat::Json, [object]) => output::text(&serde_json::to_string_pretty(object)?),
        (ObjectFormat::Json, _) => {
            let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
            output::text(&serde_json::to_string_pretty(&list)?)
        }
    }
}
