//! Parsing.

use kubernetes_yaml::Yaml;
use serde_json::{Value, json};

use crate::values;

/// The columns are YAML and its conversion by `YAMLToJSON` of sigs.k8s.io/yaml 1.6.0, which is in
/// kubectl 1.34.
const SCALARS: &str = include_str!("scalars.txt");

#[test]
fn scalars_have_the_values_that_kubectl_reads() {
    for line in SCALARS.lines() {
        let (yaml, expected) = line.split_once('\t').unwrap();
        let text = format!("v: {yaml}\n");
        let read = Yaml::parse(&text).and_then(|yaml| yaml.values());
        if expected == "error" {
            assert!(read.is_err(), "{yaml}: {read:?}");
            continue;
        }
        let expected: Value = serde_json::from_str(expected).unwrap();
        let value = &read.unwrap_or_else(|error| panic!("{yaml}: {error}"))[0]["v"];
        match (value.as_f64(), expected.as_f64()) {
            (Some(value), Some(expected)) => assert_eq!(value, expected, "{yaml}"),
            _ => assert_eq!(*value, expected, "{yaml}"),
        }
    }
}

#[test]
fn documents_have_the_values_that_kubectl_reads() {
    for (text, expected) in [
        ("", json!([])),
        ("# only a comment\n", json!([])),
        ("---\n", json!([null])),
        ("a: 1\n---\n# nothing\n---\nb: 2\n...\n", json!([{"a": 1}, null, {"b": 2}])),
        ("\u{feff}a: 1\n", json!([{"a": 1}])),
        ("a: 1\r\nb:\r\n- x\r\n", json!([{"a": 1, "b": ["x"]}])),
        ("{\n\t\"a\": [1, \"\\u00e9\\/\"]\n}", json!([{"a": [1, "é/"]}])),
        ("a: |\n  x\n\n  y\n\n\nb: >-\n  x\n  y\n", json!([{"a": "x\n\ny\n", "b": "x y"}])),
        ("a: |2\n    x\nb: |+\n  y\n\n", json!([{"a": "  x\n", "b": "y\n\n"}])),
        ("%YAML 1.1\n---\na: 'x\n  y'\n", json!([{"a": "x y"}])),
        ("a: &x [1]\nb: *x\n", json!([{"a": [1], "b": [1]}])),
        (
            "a: &x {k: 1, l: 2}\nb: {<<: *x, k: 3}\n",
            json!([{"a": {"k": 1, "l": 2}, "b": {"k": 3, "l": 2}}]),
        ),
        ("a: &x {k: 1}\nb: {k: 3, <<: *x}\n", json!([{"a": {"k": 1}, "b": {"k": 1}}])),
        (
            "a: &x {k: 1}\nb: {<<: [*x, {k: 2, l: 3}]}\n",
            json!([{"a": {"k": 1}, "b": {"k": 1, "l": 3}}]),
        ),
        ("\"<<\": {k: 1}\n", json!([{"<<": {"k": 1}}])),
    ] {
        assert_eq!(Value::from(values(text)), expected, "{text:?}");
    }
}

#[test]
fn errors_name_the_line() {
    for (text, says) in [
        ("a: 1\nb: [\n", "line "),
        ("a: 1\nb: 2\na: 3\n", "line 3: duplicate key \"a\""),
        ("a: 1\n\tb: 2\n", "line 1: "),
        ("a: 1\nb: .inf\n", "line 2: JSON has no infinity"),
        ("a: 1\n? [b]\n: 2\n", "line 2: a key is not a string"),
        ("a: 1\nb: !!int x\n", "line 2: the tag does not fit"),
        ("a: 1\n<<: 5\n", "line 2: a merge key"),
        ("a: *b\n", "line 1: "),
    ] {
        let error = Yaml::parse(text).and_then(|yaml| yaml.values()).unwrap_err();
        assert!(error.to_string().starts_with(says), "{text:?}: {error}");
    }
}

#[test]
fn the_text_of_a_scalar_is_available() {
    let yaml = Yaml::parse("a: 1\n---\na/b: [x, {c~: 0440}]\nd: &e 'x'\nf: *e\n").unwrap();
    assert_eq!(yaml.written(1, "/a~1b/1/c~0"), Some("0440"));
    assert_eq!(yaml.written(1, "/f"), Some("x"));
    assert_eq!(yaml.lines().collect::<Vec<_>>(), [1, 3]);
    for (document, pointer) in [(0, "/b"), (1, "/a~1b"), (1, "/a~1b/2"), (2, "/a"), (1, "/d/x")] {
        assert_eq!(yaml.written(document, pointer), None, "{pointer}");
    }
}
