//! The old format: `KEY=value` in each line, and comments behind `#`.

use serde_json::Value;

use super::qcnl_file::{QcnlError, QcnlFile};

/// Reads a file in this format.
pub(super) fn parse(text: &str) -> Result<QcnlFile, QcnlError> {
    let mut file = QcnlFile::default();
    for (line, number) in text.lines().zip(1..) {
        // Intel's provider ignores all space as well.
        let line: String = line.chars().filter(|c| !c.is_whitespace()).collect();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        set(&mut file, &line).map_err(|problem| QcnlError { line: Some(number), problem })?;
    }
    Ok(file)
}

fn set(file: &mut QcnlFile, line: &str) -> Result<(), String> {
    let Some((key, text)) = line.split_once('=') else {
        return Err("it is neither KEY=value nor the { of JSON".to_owned());
    };
    let has_meaning = !key.chars().any(char::is_lowercase)
        && file.set(&key.to_lowercase(), value(text)).map_err(|error| format!("{key}: {error}"))?;
    if !has_meaning {
        file.unknown_keys.push(key.to_owned());
    }
    Ok(())
}

/// The value, with the type that it would have in JSON.
fn value(text: &str) -> Value {
    match text.to_ascii_lowercase().as_str() {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        number => number
            .parse::<u64>()
            .map(Value::from)
            .or_else(|_| number.parse::<f64>().map(Value::from))
            .unwrap_or_else(|_| Value::from(text)),
    }
}
