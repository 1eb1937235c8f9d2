//! Output: results on standard output, notes on standard error.
//!
//! All output passes through here, where control characters in foreign text are escaped.

mod table;

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use clap::ValueEnum;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use evidence::Evidence;
use serde::Serialize;

pub(crate) use self::table::table;

/// An output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// The same as YAML.
    Yaml,
}

impl Format {
    /// The parser of an option with some of the formats.
    pub(crate) fn one_of<const N: usize>(
        formats: [Self; N],
    ) -> impl TypedValueParser<Value = Self> {
        let values = formats.iter().filter_map(ValueEnum::to_possible_value);
        let parser = PossibleValuesParser::new(values.collect::<Vec<PossibleValue>>());
        parser.try_map(|name| Self::from_str(&name, false))
    }
}

/// Prints a result in a format.
pub(crate) fn result<T: Display + Serialize>(format: Format, value: &T) -> anyhow::Result<()> {
    match format {
        Format::Text => text(value),
        format => structured(format, value),
    }
}

/// Prints a result for programs: YAML if that is the format, else JSON.
pub(crate) fn structured<T: Serialize>(format: Format, value: &T) -> anyhow::Result<()> {
    match format {
        Format::Yaml => document(&serde_saphyr::to_string(value)?),
        Format::Text | Format::Json => text(&serde_json::to_string_pretty(value)?),
    }
}

/// Prints text or JSON, with unprintable characters other than line feeds escaped as in JSON. A
/// reader that closes standard output early, such as `head`, is not an error.
pub(crate) fn text(value: &impl Display) -> anyhow::Result<()> {
    document(&printable::lines(&value.to_string()))
}

/// Prints a document unchanged: YAML, a script, or colored text that was made printable.
pub(crate) fn document(value: &impl Display) -> anyhow::Result<()> {
    is_read(write(value.to_string().trim_end())).map(drop)
}

/// Prints data unchanged. A reader that closes standard output early is not an error.
pub(crate) fn bytes(bytes: &[u8]) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    is_read(stdout.write_all(bytes).and_then(|()| stdout.flush())).map(drop)
}

/// Prints one of many results: text, a line of JSON, or a document of YAML. Returns false if the
/// reader has closed standard output.
pub(crate) fn one_of_many<T: Serialize>(
    format: Format,
    text: &(impl Display + ?Sized),
    value: &T,
) -> anyhow::Result<bool> {
    let written = match format {
        Format::Text => next_text(text),
        Format::Json => next_text(&serde_json::to_string(value)?),
        Format::Yaml => write(&format!("---\n{}", serde_saphyr::to_string(value)?.trim_end())),
    };
    is_read(written)
}

/// False if the reader has closed standard output, which is no error.
fn is_read(written: io::Result<()>) -> anyhow::Result<bool> {
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn next_text(value: &(impl Display + ?Sized)) -> io::Result<()> {
    write(&printable::lines(&value.to_string()))
}

/// Prints a note for people on standard error, in one line.
pub(crate) fn note(value: impl Display) {
    // Nobody can be told that standard error is closed.
    let _ = writeln!(io::stderr().lock(), "{}", printable::line(&value.to_string()));
}

/// Notes the wrapping that a quote was read from.
pub(crate) fn note_origin(evidence: &Evidence) {
    if let Some(origin) = evidence.origin() {
        note(format_args!("the quote was read from {origin}"));
    }
}

/// Prints an error of several lines on standard error.
pub(crate) fn lines(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", printable::lines(text.trim_end()));
}

fn write(text: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}
