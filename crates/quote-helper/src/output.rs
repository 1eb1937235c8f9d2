//! What people and programs read: results on standard output, notes on standard error.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use clap::ValueEnum;
use serde::Serialize;

/// The form of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// The same as YAML.
    Yaml,
}

/// Prints a result in the form that was asked for.
pub(crate) fn result<T: Display + Serialize>(format: Format, value: &T) -> anyhow::Result<()> {
    match format {
        Format::Text => text(value),
        Format::Json => text(&serde_json::to_string_pretty(value)?),
        Format::Yaml => text(&serde_saphyr::to_string(value)?),
    }
}

/// Prints a result that has one form only. A reader who has seen enough, such as `head`, is no error.
pub(crate) fn text(value: &impl Display) -> anyhow::Result<()> {
    match writeln!(io::stdout().lock(), "{}", value.to_string().trim_end()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Prints something about the result, which no program reads.
pub(crate) fn note(value: impl Display) {
    // With standard error gone there is nobody to tell.
    let _ = writeln!(io::stderr().lock(), "{value}");
}
