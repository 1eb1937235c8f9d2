//! Parsers of values, whose errors name the expected form.

use std::error::Error;
use std::ffi::OsStr;
use std::fmt::Display;
use std::marker::PhantomData;
use std::net::AddrParseError;
use std::num::{IntErrorKind, ParseIntError};
use std::str::FromStr;
use std::time::Duration;

use anyhow::anyhow;
use bytesize::ByteSize;
use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command};
use humantime::DurationError;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Parses with [`FromStr`], whose errors are more helpful than a list of values.
#[derive(Clone)]
pub(crate) struct OneOf<T> {
    names: Vec<String>,
    parsed: PhantomData<fn() -> T>,
}

impl<T> OneOf<T> {
    /// A parser that shows these values in help and completions; it may accept more.
    pub(crate) fn of(values: impl IntoIterator<Item: Display>) -> Self {
        let names = values.into_iter().map(|value| value.to_string());
        Self { names: names.collect(), parsed: PhantomData }
    }
}

impl<T> TypedValueParser for OneOf<T>
where
    T: FromStr<Err: Into<Box<dyn Error + Send + Sync>>> + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<T, clap::Error> {
        let parser = StringValueParser::new().try_map(|text| text.parse::<T>());
        parser.parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.names.iter().map(PossibleValue::new)))
    }
}

/// The expected form of a duration.
pub(crate) const DURATION_FORM: &str =
    "write a number and its unit, for instance 500ms, 5s, 2m or 1h";

pub(crate) fn duration(text: &str) -> anyhow::Result<Duration> {
    humantime::parse_duration(text).map_err(|_| anyhow!(DURATION_FORM))
}

/// A duration longer than zero.
pub(crate) fn nonzero_duration(text: &str) -> anyhow::Result<Duration> {
    match duration(text)? {
        Duration::ZERO => Err(anyhow!("it must be longer than zero")),
        duration => Ok(duration),
    }
}

/// A size in bytes.
pub(crate) fn size(text: &str) -> anyhow::Result<ByteSize> {
    text.parse().map_err(|_| anyhow!("write a size, for instance 512MiB or 8GiB"))
}

/// A point in time: RFC 3339, a date (its beginning in UTC), or seconds since 1970.
pub(crate) fn time(text: &str) -> anyhow::Result<OffsetDateTime> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let rfc3339 = |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok();
    let time = match is_number {
        true => text.parse().ok().and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok()),
        false => rfc3339(text).or_else(|| rfc3339(&format!("{text}T00:00:00Z"))),
    };
    time.ok_or_else(|| {
        anyhow!(
            "write a time, for instance 2026-01-31T12:00:00Z, a date, for instance 2026-01-31, or \
             seconds since 1970"
        )
    })
}

/// `SIZE` bytes in hexadecimal.
pub(crate) fn bytes<const SIZE: usize>(text: &str) -> anyhow::Result<[u8; SIZE]> {
    let mut bytes = [0; SIZE];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| {
        anyhow!("expected {SIZE} bytes in hexadecimal, {} digits", SIZE.saturating_mul(2))
    })?;
    Ok(bytes)
}

/// The expected form of a value, by the error of the library that rejected it.
pub(crate) fn expected_form(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref::<ParseIntError>() {
        let expected = match error.kind() {
            IntErrorKind::Zero => "write a number from 1",
            IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => "the number is too large",
            _ => "write a whole number, for instance 8",
        };
        return Some(expected.to_owned());
    }
    if error.is::<AddrParseError>() {
        return Some("write ADDRESS:PORT, for instance 127.0.0.1:8081 or [::]:8081".to_owned());
    }
    if error.is::<DurationError>() {
        return Some(DURATION_FORM.to_owned());
    }
    // clap has no error type for ranges.
    let text = error.to_string();
    let (_, range) = text.split_once(" is not in ")?;
    let (first, last) = range.split_once("..=")?;
    match first.is_empty() {
        true => Some(format!("write a number up to {last}")),
        false => Some(format!("write a number from {first} to {last}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_in_time_have_three_forms() {
        for (text, seconds) in [
            ("2026-01-31T12:00:00Z", 1_769_860_800),
            ("2026-01-31T13:00:00+01:00", 1_769_860_800),
            ("2026-01-31", 1_769_817_600),
            ("1769817600", 1_769_817_600),
            ("0", 0),
        ] {
            assert_eq!(time(text).unwrap().unix_timestamp(), seconds, "{text}");
        }
        let digits = "9".repeat(30);
        for text in ["", "now", "2026-02-30", "31.1.2026", "-5", "2026-01-31T12:00", &digits] {
            let error = time(text).unwrap_err().to_string();
            assert!(
                error.contains("a date, for instance 2026-01-31, or seconds"),
                "{text}: {error}"
            );
        }
    }
}
