//! Messages about errors in JSON.

use serde_json::Error;
use serde_json::error::Category;

/// The beginnings of the messages of `hex`.
const HEXADECIMAL: [&str; 3] =
    ["Invalid character", "Odd number of digits", "Invalid string length"];

/// The error and its place, as a sentence about the JSON without a full stop.
#[must_use]
pub fn json_error(error: &Error) -> String {
    let message = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    let message = message.strip_suffix(&position).unwrap_or(&message);
    let words = match error.classify() {
        Category::Eof => "it ends too early, so it was cut off".to_owned(),
        Category::Syntax => "it is not JSON".to_owned(),
        Category::Data | Category::Io => content(message),
    };
    match error.line() {
        0 => words,
        line => format!("{words} (line {line}, column {})", error.column()),
    }
}

/// The error in JSON that can be read.
fn content(message: &str) -> String {
    let after = |prefix| message.strip_prefix(prefix).map(|rest: &str| rest.replace('`', "\""));
    if let Some(name) = after("missing field ") {
        return format!("the field {name} is missing");
    }
    if let Some(name) = after("duplicate field ") {
        return format!("the field {name} is there twice");
    }
    if let Some(rest) = after("unknown field ") {
        return format!("there is no field {}", rest.replacen(", expected", "; expected", 1));
    }
    if let Some(rest) = after("unknown variant ") {
        return match rest.split_once(", expected ") {
            Some((name, expected)) => format!("{name} is unknown; expected {expected}"),
            None => format!("{rest} is unknown"),
        };
    }
    for prefix in ["invalid type: ", "invalid value: ", "invalid length "] {
        if let Some((found, expected)) =
            after(prefix).as_deref().and_then(|rest| rest.split_once(", expected "))
        {
            return format!("expected {expected}, found {found}");
        }
    }
    match HEXADECIMAL.iter().any(|words| message.starts_with(words)) {
        true => "expected bytes in hexadecimal, two digits for each".to_owned(),
        false => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only errors are looked at")]
    struct Document {
        number: u8,
        kind: Kind,
        list: [u8; 2],
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        One,
        Two,
    }

    #[test]
    fn each_kind_of_error_has_its_words() {
        for (text, words) in [
            ("garbage", "it is not JSON (line 1, column 1)"),
            ("", "it ends too early, so it was cut off (line 1, column 0)"),
            ("{\"number\": 1", "it ends too early, so it was cut off (line 1, column 12)"),
            ("{\n}", "the field \"number\" is missing (line 2, column 1)"),
            (
                "{\"number\": 1, \"number\": 2}",
                "the field \"number\" is there twice (line 1, column 22)",
            ),
            ("{\"number\": \"x\"}", "expected u8, found string \"x\" (line 1, column 14)"),
            ("{\"number\": 300}", "expected u8, found integer \"300\" (line 1, column 14)"),
            ("{\"list\": [1]}", "expected an array of length 2, found 1 (line 1, column 12)"),
            (
                "{\"more\": 1}",
                "there is no field \"more\"; expected one of \"number\", \"kind\", \"list\" (line 1, column 7)",
            ),
            (
                "{\"kind\": \"three\"}",
                "\"three\" is unknown; expected \"one\" or \"two\" (line 1, column 16)",
            ),
        ] {
            let error = serde_json::from_str::<Document>(text).unwrap_err();
            assert_eq!(json_error(&error), words, "{text}: {error}");
        }
        let error = <Error as serde::de::Error>::custom("Odd number of digits");
        assert_eq!(json_error(&error), "expected bytes in hexadecimal, two digits for each");
    }
}
