//! Objects of Kubernetes on standard output.

use clap::ValueEnum;
use serde::Serialize;
use serde_json::json;

use crate::output;

/// The form of objects.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Form {
    /// A document for each object.
    Yaml,
    /// One object, or a list of kind List, as kubectl reads it.
    Json,
}

/// Prints the objects.
pub(crate) fn print(form: Form, objects: &[impl Serialize]) -> anyhow::Result<()> {
    match (form, objects) {
        (Form::Yaml, _) => output::document(&serde_saphyr::to_string_multiple(objects)?),
        (Form::Json, [object]) => output::text(&serde_json::to_string_pretty(object)?),
        (Form::Json, _) => {
            let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
            output::text(&serde_json::to_string_pretty(&list)?)
        }
    }
}
