//! Results in JSON and values of the chart: this version has each field of the schemas of an
//! earlier release. `tests/cli/json.rs` validates results by the schemas of this version, and of
//! earlier releases.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use test_support::release::{record, releases, repository};

/// Directories of schemas in a record, and in this tree: of results, and of the chart's values.
const SCHEMAS: [(&str, &str); 2] =
    [("schemas", "docs/schemas/v1"), ("chart", "deploy/chart/sgx-quote-helper")];

#[test]
fn fields_of_earlier_releases_keep_their_names_and_types() {
    for (name, own) in SCHEMAS.map(|(name, own)| (name, repository().join(own))) {
        if let Some(directory) = record() {
            fs::create_dir_all(directory.join(name)).unwrap();
            for file in names(&own) {
                fs::copy(own.join(&file), directory.join(name).join(&file)).unwrap();
            }
            continue;
        }
        for release in releases().iter().map(|release| release.join(name)) {
            for file in names(&release) {
                let [before, now] = [&release, &own].map(|it| fields(&it.join(&file)));
                let lost: Vec<_> = before.difference(&now).collect();
                assert!(lost.is_empty(), "{file} of {}: {lost:#?}", release.display());
            }
        }
    }
}

/// The schemas in a directory; none if a release has no such directory.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".json")).collect()
}

/// A line for each field, its type, that it is always there, and each listed value.
fn fields(file: &Path) -> BTreeSet<String> {
    let schema: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let mut lines = BTreeSet::new();
    let mut walk = Walk { root: &schema, references: vec![], lines: &mut lines };
    walk.visit(&schema, "");
    assert!(lines.len() > 1, "{lines:?}");
    lines
}

struct Walk<'a> {
    root: &'a Value,
    /// References on the way here, which may lead back to themselves.
    references: Vec<&'a str>,
    lines: &'a mut BTreeSet<String>,
}

impl<'a> Walk<'a> {
    fn visit(&mut self, schema: &'a Value, path: &str) {
        if let Some(types) = schema.get("type") {
            self.lines.insert(format!("{path} has the type {types}"));
        }
        for value in schema["enum"].as_array().into_iter().flatten().chain(schema.get("const")) {
            self.lines.insert(format!("{path} may be {value}"));
        }
        for field in schema["required"].as_array().into_iter().flatten() {
            self.lines.insert(format!("{path} always has {field}"));
        }
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            self.visit(field, &format!("{path}.{name}"));
        }
        for (keyword, step) in [("items", "[]"), ("additionalProperties", ".*")] {
            if let Some(part) = schema.get(keyword) {
                self.visit(part, &format!("{path}{step}"));
            }
        }
        for keyword in ["allOf", "anyOf", "oneOf", "prefixItems"] {
            for part in schema[keyword].as_array().into_iter().flatten() {
                self.visit(part, path);
            }
        }
        let Some(reference) = schema["$ref"].as_str() else { return };
        if !self.references.contains(&reference) {
            self.references.push(reference);
            let pointer = reference.trim_start_matches('#');
            self.visit(self.root.pointer(pointer).unwrap(), path);
            self.references.pop();
        }
    }
}
