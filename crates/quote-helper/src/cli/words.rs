//! Our words for values that libraries refuse, each with the form that is wanted.

use std::error::Error;
use std::net::AddrParseError;
use std::num::{IntErrorKind, ParseIntError};

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use humantime::DurationError;

use crate::values::DURATION_FORM;

/// The error in our words, if a library's are in it.
pub(super) fn in_our_words(error: clap::Error, command: &mut Command) -> clap::Error {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => printable::line(text).into_owned(),
        _ => String::new(),
    };
    let words = Error::source(&error).and_then(form);
    match words {
        Some(words) if error.kind() == ErrorKind::ValueValidation => {
            let (value, argument) =
                (text(ContextKind::InvalidValue), text(ContextKind::InvalidArg));
            let message = format!("invalid value '{value}' for '{argument}': {words}");
            command.error(ErrorKind::ValueValidation, message)
        }
        _ => error,
    }
}

/// The form that is wanted, by the error of a library.
pub(crate) fn form(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref::<ParseIntError>() {
        let words = match error.kind() {
            IntErrorKind::Zero => "write a number from 1",
            IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => "the number is too large",
            _ => "write a whole number, for instance 8",
        };
        return Some(words.to_owned());
    }
    if error.is::<AddrParseError>() {
        return Some("write ADDRESS:PORT, for instance 127.0.0.1:8081 or [::]:8081".to_owned());
    }
    if error.is::<DurationError>() {
        return Some(DURATION_FORM.to_owned());
    }
    // clap has no type for it.
    let text = error.to_string();
    let (_, range) = text.split_once(" is not in ")?;
    let (first, last) = range.split_once("..=")?;
    match first.is_empty() {
        true => Some(format!("write a number up to {last}")),
        false => Some(format!("write a number from {first} to {last}")),
    }
}
