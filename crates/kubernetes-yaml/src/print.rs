//! Conversion of values to YAML.

use serde_json::Value;

use crate::scalar::resolve;

/// The layout of a document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    /// By how many columns a mapping is indented in another one.
    pub(crate) step: usize,
    /// By how many columns a sequence is indented in a mapping.
    pub(crate) sequence_step: usize,
    /// All strings are in quotes, as in JSON.
    pub(crate) is_json: bool,
}

impl Layout {
    pub(crate) const DEFAULT: Self = Self { step: 2, sequence_step: 0, is_json: false };

    /// A value behind its key, in block style: on the same line, or on lines of its own below a key
    /// at this column. Lines end with a line feed, the last one with nothing.
    pub(crate) fn behind_key(self, value: &Value, column: usize) -> String {
        let below = match value {
            Value::Object(fields) if !fields.is_empty() => column.saturating_add(self.step),
            Value::Array(items) if !items.is_empty() => column.saturating_add(self.sequence_step),
            _ => return format!(" {}", self.flow(value, None)),
        };
        format!("\n{}{}", " ".repeat(below), self.block(value, below))
    }

    /// A value in block style, of which the first line is indented to this column already.
    pub(crate) fn block(self, value: &Value, column: usize) -> String {
        let indent = format!("\n{}", " ".repeat(column));
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                let fields = fields.iter().map(|(key, value)| {
                    format!("{}:{}", self.string(key), self.behind_key(value, column))
                });
                fields.collect::<Vec<_>>().join(&indent)
            }
            Value::Array(items) if !items.is_empty() => {
                let items = items
                    .iter()
                    .map(|item| format!("- {}", self.block(item, column.saturating_add(2))));
                items.collect::<Vec<_>>().join(&indent)
            }
            _ => self.flow(value, None),
        }
    }

    /// A value in flow style: on one line, or each part on a line of its own, with the closing
    /// bracket at this column.
    pub(crate) fn flow(self, value: &Value, column: Option<usize>) -> String {
        let inner = column.map(|column| column.saturating_add(self.step));
        let parts: Vec<_> = match value {
            Value::Object(fields) => {
                let part = |(key, value)| {
                    let key: &String = key;
                    format!("{}: {}", self.string(key), self.flow(value, inner))
                };
                fields.iter().map(part).collect()
            }
            Value::Array(items) => items.iter().map(|item| self.flow(item, inner)).collect(),
            Value::String(text) => return self.string(text),
            other => return other.to_string(),
        };
        let [open, close] = if value.is_object() { ["{", "}"] } else { ["[", "]"] };
        match (inner, column) {
            (Some(inner), Some(column)) if !parts.is_empty() => {
                let [inner, indent] = [inner, column].map(|column| " ".repeat(column));
                let parts = parts.join(&format!(",\n{inner}"));
                format!("{open}\n{inner}{parts}\n{indent}{close}")
            }
            _ => format!("{open}{}{close}", parts.join(", ")),
        }
    }

    /// A string, plain if that is unambiguous.
    pub(crate) fn string(self, text: &str) -> String {
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
        let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
            && text.chars().all(is_word)
            && resolve(text).is_some_and(|value| value.is_string());
        match is_plain && !self.is_json {
            true => text.to_owned(),
            false => quoted(text),
        }
    }
}

/// A string in double quotes, in JSON as in YAML.
fn quoted(text: &str) -> String {
    let mut quoted = Value::from(text).to_string();
    // JSON leaves these as they are, and YAML wants them escaped.
    let needs_escape = |c: &char| {
        matches!(
            c,
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
    };
    let special: std::collections::BTreeSet<_> = text.chars().filter(needs_escape).collect();
    for c in special {
        quoted = quoted.replace(c, &format!("\\u{:04x}", u32::from(c)));
    }
    quoted
}
