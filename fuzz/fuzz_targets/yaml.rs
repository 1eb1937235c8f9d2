//! YAML: without additions the text stays as it is; with them it means what it should.
#![no_main]

use kubernetes_yaml::Yaml;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

fuzz_target!(|text: &str| {
    let Ok(yaml) = Yaml::parse(text) else { return };
    let Ok(mut values) = yaml.values() else { return };
    assert_eq!(yaml.with(&values).as_deref(), Ok(text));
    values.iter_mut().for_each(add);
    if let Ok(with) = yaml.with(&values) {
        assert_eq!(Yaml::parse(&with).and_then(|yaml| yaml.values()), Ok(values));
    }
});

/// Adds to every collection.
fn add(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.iter_mut().for_each(add);
            items.push(json!({ "name": "added" }));
        }
        Value::Object(fields) => {
            fields.values_mut().for_each(add);
            fields.insert("added".to_owned(), json!(["1"]));
        }
        _ => {}
    }
}
