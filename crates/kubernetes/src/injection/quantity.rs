//! Quantities in the notation of Kubernetes, such as `5Mi`.

/// The maximum quantity of Kubernetes, 2^63 - 1.
const MAX: u128 = i64::MAX as u128;
/// The maximum number of digits; it prevents overflows below.
const MAX_DIGITS: usize = 19;
/// Larger exponents round to zero, or exceed the maximum.
const MAX_EXPONENT: u32 = 18;

/// Parses a quantity exactly, rounded up to a whole number as Kubernetes does. `None` if it is
/// invalid, negative, or above 2^63 - 1.
///
/// Source: the grammar at `Quantity` in the API's definition.
#[must_use]
pub fn parse(text: &str) -> Option<u64> {
    parse_in(text, 1)
}

/// Parses a quantity as thousandths, such as those of a CPU, rounded up.
#[must_use]
pub fn parse_milli(text: &str) -> Option<u64> {
    parse_in(text, 1_000)
}

/// Parses a quantity in parts of a unit.
fn parse_in(text: &str, parts: u128) -> Option<u64> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at_checked(end)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{fraction}");
    if digits.len() > MAX_DIGITS || fraction.contains('.') {
        return None;
    }
    let (multiplier, divisor) = scale(suffix)?;
    let divisor = divisor.checked_mul(power_of_ten(fraction.len().try_into().ok()?)?)?;
    let product = digits.parse::<u128>().ok()?.checked_mul(multiplier)?.checked_mul(parts)?;
    let value = product.checked_add(divisor.checked_sub(1)?)?.checked_div(divisor)?;
    u64::try_from(value).ok().filter(|_| value <= MAX)
}

/// The multiplier and the divisor of a suffix.
fn scale(suffix: &str) -> Option<(u128, u128)> {
    let multiplier = match suffix {
        "" => 1,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        "Ti" => 1 << 40,
        "Pi" => 1 << 50,
        "Ei" => 1 << 60,
        "k" => power_of_ten(3)?,
        "M" => power_of_ten(6)?,
        "G" => power_of_ten(9)?,
        "T" => power_of_ten(12)?,
        "P" => power_of_ten(15)?,
        "E" => power_of_ten(18)?,
        "m" => return Some((1, power_of_ten(3)?)),
        "u" => return Some((1, power_of_ten(6)?)),
        "n" => return Some((1, power_of_ten(9)?)),
        _ => return exponent(suffix.strip_prefix(['e', 'E'])?),
    };
    Some((multiplier, 1))
}

fn exponent(text: &str) -> Option<(u128, u128)> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    // `parse` would accept another sign.
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let power = power_of_ten(digits.parse().ok()?)?;
    Some(if is_negative { (1, power) } else { (power, 1) })
}

fn power_of_ten(exponent: u32) -> Option<u128> {
    10_u128.checked_pow(exponent).filter(|_| exponent <= MAX_EXPONENT)
}

#[cfg(test)]
mod tests {
    use super::{parse, parse_milli};

    #[test]
    fn quantities_are_exact() {
        for (text, value) in [
            ("0", 0),
            ("10", 10),
            ("+10", 10),
            ("007", 7),
            ("5Mi", 5 << 20),
            ("1Gi", 1 << 30),
            ("7Ei", 7 << 60),
            ("1k", 1000),
            ("1e6", 1_000_000),
            ("1E6", 1_000_000),
            ("1e+6", 1_000_000),
            ("5E", 5_000_000_000_000_000_000),
            ("1.5Gi", 3 << 29),
            (".5Ki", 512),
            ("2.", 2),
            ("1500m", 2),
            ("1000m", 1),
            ("1n", 1),
            ("25e-1", 3),
            // A 64-bit float would round this.
            ("9007199254740993", 9_007_199_254_740_993),
            ("9223372036854775807", i64::MAX as u64),
        ] {
            assert_eq!(parse(text), Some(value), "{text:?}");
        }
    }

    #[test]
    fn thousandths_are_exact() {
        for (text, value) in
            [("50m", 50), ("1", 1000), ("1.5", 1500), ("64Mi", 1000 << 26), ("1u", 1)]
        {
            assert_eq!(parse_milli(text), Some(value), "{text:?}");
        }
        assert_eq!(parse_milli("cpu"), None);
    }

    #[test]
    fn invalid_quantities_are_refused() {
        for text in [
            "", ".", "-1", "Mi", "5 Mi", " 5", "5MB", "5mi", "5MiMi", "1.2.3", "0x10", "1e",
            "1e--1", "1e+-1", "1e1.5", "ten", "٣", "5é", "++1", "1,000",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn extreme_quantities_are_refused() {
        for text in [
            "9223372036854775808",
            "8Ei",
            "10E",
            "1e19",
            "1e99999999999",
            "1e-99999999999",
            "99999999999999999999999999999999999999999",
            "9999999999999999999Ei",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
        assert_eq!(parse(&"9".repeat(1_000_000)), None);
    }
}
