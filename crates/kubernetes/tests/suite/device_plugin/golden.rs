//! Reviewed results in `goldens/`. `WRITE_GOLDENS=1` rewrites them.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

/// Compares the text with the golden of this name.
pub(crate) fn check(name: &str, text: &str) {
    let golden =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/device_plugin/goldens").join(name);
    if std::env::var_os("WRITE_GOLDENS").is_some() {
        fs::write(&golden, text).unwrap();
    }
    let expected = fs::read_to_string(&golden).unwrap_or_default();
    assert!(
        expected == text,
        "{} differs (WRITE_GOLDENS=1 rewrites it); now it is\n{text}",
        golden.display()
    );
}

/// JSON with sorted fields. Otherwise their order would depend on a feature of serde_json that
/// other crates in the build may enable.
pub(crate) fn sorted(json: &Value) -> Value {
    match json {
        Value::Array(values) => values.iter().map(sorted).collect(),
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            let sorted = fields.into_iter().map(|(name, value)| (name.clone(), sorted(value)));
            Value::Object(sorted.collect::<Map<_, _>>())
        }
        value => value.clone(),
    }
}
