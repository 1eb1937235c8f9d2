//! Additions to texts, each with its result.

use kubernetes_yaml::Yaml;
use serde_json::{Value, json};

/// Adds values at JSON pointers; `-` appends to a list.
fn with(text: &str, additions: &[(&str, Value)]) -> Result<String, String> {
    let yaml = Yaml::parse(text).unwrap();
    let mut values = yaml.values().unwrap();
    for (pointer, addition) in additions {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = values[0].pointer_mut(parent).unwrap();
        match parent {
            Value::Array(items) => match name.parse::<usize>() {
                Ok(index) => items[index] = addition.clone(),
                Err(_) => items.push(addition.clone()),
            },
            _ => parent[name.replace("~1", "/")] = addition.clone(),
        }
    }
    yaml.with(&values).map_err(|error| error.to_string())
}

fn check(before: &str, additions: &[(&str, Value)], after: &str) {
    assert_eq!(with(before, additions).unwrap(), after, "{before}");
}

#[test]
fn block_style_grows_by_lines() {
    check("a:\n  b: 0440 # octal\n", &[("/a/c", json!("x"))], "a:\n  b: 0440 # octal\n  c: x\n");
    check("a:\n    b: yes\n", &[("/c", json!({"d": 1}))], "a:\n    b: yes\nc:\n    d: 1\n");
    check(
        "l:\n- n: x\n  r: {}\n# end\n",
        &[("/l/0/e", json!([{"k": "1"}])), ("/l/-", json!({"n": "w", "o": {}}))],
        "l:\n- n: x\n  r: {}\n  e:\n  - k: \"1\"\n- \"n\": w\n  o: {}\n# end\n",
    );
    check(
        "l:\n  - a\n  -   b: 1\n",
        &[("/l/1/c", json!(["d"])), ("/l/-", json!("e"))],
        "l:\n  - a\n  -   b: 1\n      c:\n        - d\n  - e\n",
    );
    check("a: # -\n# -\n-\n  b: 1\n", &[("/a/-", json!(2))], "a: # -\n# -\n-\n  b: 1\n- 2\n");
    check("a: &x\n- - x\n", &[("/a/-", json!(2))], "a: &x\n- - x\n- 2\n");
    check("a:\n- - x\n", &[("/a/0/-", json!("z"))], "a:\n- - x\n  - z\n");
    check("? a\n: b\n", &[("/c", json!(1))], "? a\n: b\nc: 1\n");
}

#[test]
fn the_end_of_the_text_may_be_anything() {
    check("a: 1", &[("/b", json!(2))], "a: 1\nb: 2");
    check("a: 1\r\nb:\r\n- x\r\n", &[("/b/-", json!("z"))], "a: 1\r\nb:\r\n- x\r\n- z\r\n");
    check("a: 1\n\n\n...\n", &[("/b", json!(2))], "a: 1\nb: 2\n\n\n...\n");
    check("a: 1\n---\nb: 2\n", &[("/c", json!(2))], "a: 1\nc: 2\n---\nb: 2\n");
    check("\u{feff}a: 1 # ü\n", &[("/b", json!(2))], "\u{feff}a: 1 # ü\nb: 2\n");
}

#[test]
fn a_block_scalar_at_the_end_keeps_its_lines() {
    check("a: |\n  x\n\n\n", &[("/b", json!(1))], "a: |\n  x\nb: 1\n\n\n");
    check("a: |+\n  x\n\n\n", &[("/b", json!(1))], "a: |+\n  x\n\n\nb: 1\n");
    check("a: |\n  x", &[("/b", json!(1))], "a: |\n  x\nb: 1");
    check("a: >-\n  x\n  y\n# c\n", &[("/b", json!(1))], "a: >-\n  x\n  y\nb: 1\n# c\n");
    check("a:\n- |2\n    x\n", &[("/a/-", json!(1))], "a:\n- |2\n    x\n- 1\n");
    check(
        "a: |+\r\n  x\r\n\r\nb: 1\r\n",
        &[("/c", json!(1))],
        "a: |+\r\n  x\r\n\r\nb: 1\r\nc: 1\r\n",
    );
}

#[test]
fn flow_style_grows_within_its_brackets() {
    check("a: {b: 1}\n", &[("/a/c", json!("10"))], "a: {b: 1, c: \"10\"}\n");
    check("a: { b: 1 } # c\n", &[("/a/c", json!("x"))], "a: { b: 1, c: x } # c\n");
    check("a: {}\n", &[("/a/x.y~1z", json!({"b": []}))], "a: {x.y/z: {b: []}}\n");
    check("a: [b,]\n", &[("/a/-", json!("c"))], "a: [b, c]\n");
    check("a: {b: }\n", &[("/a/c", json!(1))], "a: {b:, c: 1 }\n");
    check("a: [\n  b # , c\n]\n", &[("/a/-", json!("d"))], "a: [\n  b,\n  d # , c\n]\n");
}

#[test]
fn json_stays_json() {
    check("{\"a\":{\"b\":1}}", &[("/a/c", json!("x"))], "{\"a\":{\"b\":1, \"c\": \"x\"}}");
    check(
        "{\n\t\"a\": {\n\t\t\"b\": 1\n\t},\n\t\"l\": []\n}\n",
        &[("/l/-", json!("x"))],
        "{\n\t\"a\": {\n\t\t\"b\": 1\n\t},\n\t\"l\": [\"x\"]\n}\n",
    );
    check(
        "{\n\t\"a\": {\n\t\t\"b\": 1\n\t}\n}\n",
        &[("/a/c", json!([1]))],
        "{\n\t\"a\": {\n\t\t\"b\": 1,\n\t\t\"c\": [\n\t\t\t1\n\t\t]\n\t}\n}\n",
    );
    let before = "{\n    \"a\": {\n        \"b\": 1\n    }\n}\n";
    check(
        before,
        &[("/a/c", json!([{"d": true}])), ("/e", json!({}))],
        "{\n    \"a\": {\n        \"b\": 1,\n        \"c\": [\n            {\n                \
         \"d\": true\n            }\n        ]\n    },\n    \"e\": {}\n}\n",
    );
}

#[test]
fn a_null_gets_a_value() {
    check("a:\n  b:\nc: 1\n", &[("/a/b", json!({"d": 1}))], "a:\n  b:\n    d: 1\nc: 1\n");
    check("a:\n  b: ~ # c\n", &[("/a/b", json!(["d"]))], "a:\n  b: # c\n  - d\n");
    check("a: null\n", &[("/a", json!("x"))], "a: x\n");
    check("{\"a\": null}", &[("/a", json!({"b": "c"}))], "{\"a\": {\"b\": \"c\"}}");
    check("a: {b: , c: 1}\n", &[("/a/b", json!(["d"]))], "a: {b: [d] , c: 1}\n");
}

#[test]
fn a_number_becomes_a_string() {
    check(
        "a:\n- v: 1 # c\n- w: yes\n",
        &[("/a/0/v", json!("1"))],
        "a:\n- v: \"1\" # c\n- w: yes\n",
    );
    check("a: [8080, x]\n", &[("/a/0", json!("8080"))], "a: [\"8080\", x]\n");
    check("- 0440\n", &[("/0", json!("0440"))], "- \"0440\"\n");
}

#[test]
fn strings_stay_strings() {
    for text in ["yes", "1", "0x1", "1:30", "a: b", "#", "", "ü", "\u{85}\u{2028}", "~", "- a", "{"]
    {
        let added = with("a: 1\n", &[("/b", json!(text)), ("/c", json!([text]))]);
        assert!(added.is_ok(), "{text:?}: {added:?}");
    }
}

#[test]
fn aliases_are_written_out_where_they_differ() {
    check(
        "a: &x\n  k: 1\nb: *x # c\n",
        &[("/b/l", json!(2))],
        "a: &x\n  k: 1\nb: # c\n  k: 1\n  l: 2\n",
    );
    check("- &x {k: 1}\n- *x\n", &[("/1/l", json!(2))], "- &x {k: 1}\n- k: 1\n  l: 2\n");
    check(
        "a: &x {k: 1}\nb: {<<: *x}\n",
        &[("/b/l", json!(2))],
        "a: &x {k: 1}\nb: {<<: *x, l: 2}\n",
    );
    check(
        "a: &x {k: [1]}\nb:\n  <<: *x\n",
        &[("/b/k/-", json!(2))],
        "a: &x {k: [1]}\nb:\n  <<: *x\n  k:\n  - 1\n  - 2\n",
    );
    // A part that is shared and changes for both.
    check(
        "a: &x {k: 1}\nb: *x\n",
        &[("/a/l", json!(2)), ("/b/l", json!(2))],
        "a: &x {k: 1, l: 2}\nb:\n  k: 1\n  l: 2\n",
    );
}

#[test]
fn changes_that_are_no_additions_are_refused() {
    for (text, additions) in [
        // The alias would change with its anchor.
        ("x: 1\na: &x {k: 1}\nb: *x\n", [("/a/l", json!(2))]),
        ("x: 1\na: &x {k: 1}\nb: {<<: *x, m: 1}\n", [("/a/l", json!(2))]),
        // A string is there.
        ("x: 1\na: 'b'\n", [("/a", json!("c"))]),
        ("x: 1\na: [b]\n", [("/a", json!([]))]),
    ] {
        let error = with(text, &additions).unwrap_err();
        assert!(error.starts_with("the document at line 1 cannot be changed"), "{text:?}: {error}");
    }
}
