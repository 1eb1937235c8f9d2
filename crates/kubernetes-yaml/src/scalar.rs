//! The values of plain scalars.
//!
//! Source: the output of sigs.k8s.io/yaml 1.6.0 for the table in `tests/suite/scalars.txt`.

use serde_json::{Number, Value};

/// The value of a plain scalar; `None` for infinity and NaN, which JSON lacks.
pub(crate) fn resolve(text: &str) -> Option<Value> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Some(Value::Null),
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Some(Value::Bool(true));
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Some(Value::Bool(false));
        }
        ".nan" | ".NaN" | ".NAN" => return None,
        _ => {}
    }
    let magnitude = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(magnitude, ".inf" | ".Inf" | ".INF") {
        return None;
    }
    Some(number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number))
}

fn number(text: &str) -> Option<Number> {
    let begins_a_number = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.');
    if !text.starts_with(begins_a_number) {
        return None;
    }
    // `1__000_` is a number, `.5__0_` is not.
    if text.starts_with('.') && !separates_digits(text) {
        return None;
    }
    let text = text.replace('_', "");
    integer(&text).or_else(|| float(&text))
}

/// Tells if each underscore stands between two digits.
fn separates_digits(text: &str) -> bool {
    let ends_with_digit = |part: &str| part.ends_with(|c: char| c.is_ascii_digit());
    let starts_with_digit = |part: &str| part.starts_with(|c: char| c.is_ascii_digit());
    let parts: Vec<_> = text.split('_').collect();
    let mut pairs = parts.windows(2);
    pairs.all(
        |pair| matches!(pair, [left, right] if ends_with_digit(left) && starts_with_digit(right)),
    )
}

/// A number of 64 bits: decimal, hexadecimal, binary, or octal as `0440` and `0o440`.
fn integer(text: &str) -> Option<Number> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (base, digits) = match digits.get(..2) {
        Some("0x" | "0X") => (16, digits.get(2..)?),
        Some("0o" | "0O") => (8, digits.get(2..)?),
        Some("0b" | "0B") => (2, digits.get(2..)?),
        Some(_) if digits.starts_with('0') => (8, digits.get(1..)?),
        _ => (10, digits),
    };
    // `from_str_radix` would allow a second sign.
    if !digits.starts_with(|c: char| c.is_ascii_hexdigit()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, base).ok()?;
    match is_negative {
        true => 0_i64.checked_sub_unsigned(magnitude).map(Number::from),
        // An explicit plus is for numbers of 63 bits.
        false if text.starts_with('+') => i64::try_from(magnitude).ok().map(Number::from),
        false => Some(Number::from(magnitude)),
    }
}

/// A decimal number with a point, an exponent, or too many digits for an integer.
fn float(text: &str) -> Option<Number> {
    let is_digit = |c: char| c.is_ascii_digit();
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let exponent = exponent.map(|it| it.strip_prefix(['+', '-']).unwrap_or(it));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_float = (!whole.is_empty() || !fraction.is_empty())
        && whole.chars().chain(fraction.chars()).all(is_digit)
        && exponent.is_none_or(|it| !it.is_empty() && it.chars().all(is_digit));
    // Infinite, it stays a string.
    text.parse().ok().filter(|_| is_float).and_then(Number::from_f64)
}
