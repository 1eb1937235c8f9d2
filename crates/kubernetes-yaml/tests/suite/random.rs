//! Random texts with random additions.

use fastrand::Rng;
use kubernetes_yaml::Yaml;
use serde_json::{Value, json};

use crate::values;

/// Values that people write.
const SCALARS: [&str; 16] = [
    "0440",
    "yes",
    "'it''s'",
    "\"a\\tb\"",
    "x y",
    "1e3",
    "~",
    "\"x\n                              y\"",
    "http://x/#a",
    "-1",
    "2001-01-01",
    "!!str 5",
    "1_000",
    "<a>",
    "a,b",
    "ü",
];
const BLOCK_SCALARS: [&str; 4] =
    ["|\n{}x: y\n{}- z\n", ">-\n{}a\n\n{}b\n", "|+\n{}a\n\n\n", "|\n{}a\n\n"];

/// Writes random YAML.
struct Writer {
    random: Rng,
    text: String,
}

impl Writer {
    fn chance(&mut self, of: usize) -> bool {
        self.random.usize(..of) == 0
    }

    fn end_line(&mut self) {
        if self.chance(4) {
            self.text += " # comment: {[";
        }
        self.text += "\n";
        if self.chance(6) {
            self.text += ["\n", "  \n", "# at the margin\n", "          # far right\n"]
                [self.random.usize(..4)];
        }
    }

    /// A block collection whose first line is indented already.
    fn block(&mut self, column: usize, depth: usize) {
        let is_list = self.chance(3);
        for index in 0..self.random.usize(1..4) {
            if index > 0 {
                self.text += &" ".repeat(column);
            }
            if is_list {
                self.item(column, depth);
            } else {
                let keys =
                    [format!("k{index}:"), format!("\"q{index}\":"), format!("a/b-{index} :")];
                self.text += &keys[self.random.usize(..3)];
                self.value(column, depth);
            }
        }
    }

    fn item(&mut self, column: usize, depth: usize) {
        self.text += "-";
        if depth > 0 && self.chance(2) {
            let step = self.random.usize(1..4);
            self.text += &" ".repeat(step);
            self.block(column + 1 + step, depth - 1);
        } else {
            self.scalar(column);
        }
    }

    fn value(&mut self, column: usize, depth: usize) {
        if depth > 0 && self.chance(2) {
            let column = column + self.random.usize(1..5);
            self.end_line();
            self.text += &" ".repeat(column);
            self.block(column, depth - 1);
        } else {
            self.scalar(column);
        }
    }

    fn scalar(&mut self, column: usize) {
        if self.chance(5) {
            let indent = " ".repeat(column + 2);
            let text = BLOCK_SCALARS[self.random.usize(..BLOCK_SCALARS.len())];
            self.text += &format!(" {}", text.replace("{}", &indent));
            return;
        }
        self.text += " ";
        if self.chance(3) {
            self.flow(2, column + 2);
        } else {
            self.text += SCALARS[self.random.usize(..SCALARS.len())];
        }
        self.end_line();
    }

    fn flow(&mut self, depth: usize, column: usize) {
        let is_list = self.chance(2);
        let space = match self.random.usize(..4) {
            0 => format!("\n{}", " ".repeat(column)),
            1 => " ".to_owned(),
            _ => String::new(),
        };
        self.text += if is_list { "[" } else { "{" };
        let count = self.random.usize(..4);
        for index in 0..count {
            self.text += &space;
            if !is_list {
                self.text += &format!("f{index}: ");
            }
            match depth > 0 && self.chance(3) {
                true => self.flow(depth - 1, column + 2),
                false => self.text += ["1", "'x'", "\"y\"", "z z"][self.random.usize(..4)],
            }
            if index + 1 < count || self.chance(5) {
                self.text += ",";
            }
        }
        self.text += &format!("{space}{}", if is_list { "]" } else { "}" });
    }
}

/// Adds to some of the collections in a value.
fn add(value: &mut Value, random: &mut Rng) {
    let addition = || json!({"new": ["1", {"yes": "no", "n": 5}], "empty": {}});
    match value {
        Value::Array(items) => {
            items.iter_mut().for_each(|item| add(item, random));
            if random.usize(..3) == 0 {
                items.extend([addition(), json!("0440")]);
            }
        }
        Value::Object(fields) => {
            fields.values_mut().for_each(|field| add(field, random));
            if random.usize(..3) == 0 {
                fields.insert("added.io/key".to_owned(), addition());
                fields.insert("another".to_owned(), json!("a: b"));
            }
        }
        _ => {}
    }
}

/// True if a text has all characters of another one in their order.
fn contains(text: &str, other: &str) -> bool {
    let mut rest = text.chars();
    other.chars().all(|c| rest.any(|d| d == c))
}

#[test]
fn additions_change_no_other_character() {
    let mut changed = 0;
    for seed in 0..3000 {
        let mut writer = Writer { random: Rng::with_seed(seed), text: String::new() };
        for _ in 0..writer.random.usize(1..3) {
            writer.text += "---\n";
            writer.block(0, 4);
        }
        let Writer { mut random, mut text } = writer;
        if random.bool() {
            text = text.replace('\n', "\r\n");
        }
        let mut targets = values(&text);
        let yaml = Yaml::parse(&text).unwrap();
        assert_eq!(yaml.with(&targets).unwrap(), text, "seed {seed}");
        targets.iter_mut().for_each(|target| add(target, &mut random));
        let with =
            yaml.with(&targets).unwrap_or_else(|error| panic!("seed {seed}: {error}\n{text}"));
        assert_eq!(values(&with), targets, "seed {seed}");
        assert!(contains(&with, &text), "seed {seed}:\n{text}\n{with}");
        changed += usize::from(with != text);
    }
    assert!(changed > 1000, "{changed}");
}
