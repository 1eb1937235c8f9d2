//! Readable messages for values that libraries reject, each with the expected form.

use std::error::Error;
use std::net::AddrParseError;
use std::num::{IntErrorKind, ParseIntError};

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use humantime::DurationError;

use crate::values::DURATION_FORM;

/// The error, with a readable message if a library has rejected the value.
pub(super) fn readable(error: clap::Error, command: &mut Command) -> clap::Error {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => printable::line(text).into_owned(),
        _ => String::new(),
    };
    let expected = Error::source(&error).and_then(expected_form);
    match expected {
        Some(expected) if error.kind() == ErrorKind::ValueValidation => {
            let (value, argument) =
                (text(ContextKind::InvalidValue), text(ContextKind::InvalidArg));
            let message = format!("invalid value '{value}' for '{argument}': {expected}");
            command.error(ErrorKind::ValueValidation, message)
        }
        _ => error,
    }
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
