//! The JSON format: an object, with comments as in C++.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::qcnl_file::{QcnlError, QcnlFile};

/// Reads a file in this format.
pub(super) fn parse(text: &str) -> Result<QcnlFile, QcnlError> {
    let text = without_comments(text)?;
    let Values(values) = serde_json::from_str(&text)
        .map_err(|error| QcnlError { line: Some(error.line()), problem: message(&error) })?;
    let mut file = QcnlFile::default();
    for (key, value) in values {
        match file.set(&key, &mut serde_json::Deserializer::from_str(value.get())) {
            Ok(true) => {}
            Ok(false) => file.unknown_keys.push(key),
            Err(error) => {
                let line = Some(line_of(value.get(), &text));
                return Err(QcnlError { line, problem: format!("{key}: {}", message(&error)) });
            }
        }
    }
    Ok(file)
}

/// The text with spaces instead of comments, so that line numbers stay.
fn without_comments(text: &str) -> Result<String, QcnlError> {
    let mut rest = text;
    let mut json = String::with_capacity(text.len());
    while let Some(start) = rest.find(['"', '/']) {
        let (before, from) = rest.split_at(start);
        json.push_str(before);
        let (end, is_comment) = if from.starts_with("//") {
            (from.find('\n').unwrap_or(from.len()), true)
        } else if let Some(inner) = from.strip_prefix("/*") {
            let end = inner.find("*/").ok_or_else(|| QcnlError {
                line: Some(line_of(from, text)),
                problem: "a comment begins here with /* and does not end".to_owned(),
            })?;
            (end.saturating_add("/**/".len()), true)
        } else {
            (string_end(from), false)
        };
        let (piece, after) = from.split_at(end);
        match is_comment {
            true => json.extend(piece.chars().map(|c| if c == '\n' { c } else { ' ' })),
            false => json.push_str(piece),
        }
        rest = after;
    }
    json.push_str(rest);
    Ok(json)
}

/// The length of the string that the text begins with, quotation marks included; 1 if it begins
/// with none.
fn string_end(text: &str) -> usize {
    if !text.starts_with('"') {
        return 1;
    }
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return at.saturating_add(1),
            _ => {}
        }
    }
    text.len()
}

/// The line, from 1, in which a part of the text begins.
fn line_of(part: &str, text: &str) -> usize {
    let start = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    text.bytes().take(start).filter(|byte| *byte == b'\n').count().saturating_add(1)
}

/// The message without the position.
fn message(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    message.strip_suffix(&position).unwrap_or(&message).to_owned()
}

/// The keys and their values, as in the text.
struct Values<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Values<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ValuesVisitor)
    }
}

struct ValuesVisitor;

impl<'de> Visitor<'de> for ValuesVisitor {
    type Value = Values<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with settings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Values<'de>, A::Error> {
        let mut values = Vec::new();
        while let Some(entry) = map.next_entry()? {
            values.push(entry);
        }
        Ok(Values(values))
    }
}
