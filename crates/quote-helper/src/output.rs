//! What people and programs read: results on standard output, notes on standard error.
//!
//! All of it leaves here, and here text of others loses its power over the reader's terminal.

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

/// Prints a result in the form that was asked for.
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

/// Prints a result as text or JSON, whose own escapes are the same. Unprintable characters other
/// than line feeds are escaped. A reader who has seen enough, such as `head`, is no error.
pub(crate) fn text(value: &impl Display) -> anyhow::Result<()> {
    document(&printable::lines(&value.to_string()))
}

/// Prints a document that has to stay as it is, to the byte: YAML, a script, a colored text that
/// has been made printable.
pub(crate) fn document(value: &impl Display) -> anyhow::Result<()> {
    match write(value.to_string().trim_end()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Prints a text as it is, to the byte: the end too.
pub(crate) fn verbatim(text: &str) -> anyhow::Result<()> {
    bytes(text.as_bytes())
}

/// Prints data as it is. A reader who has seen enough is no error.
pub(crate) fn bytes(bytes: &[u8]) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
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
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn next_text(value: &(impl Display + ?Sized)) -> io::Result<()> {
    write(&printable::lines(&value.to_string()))
}

/// Prints a line about the result, which no program reads.
pub(crate) fn note(value: impl Display) {
    // With standard error gone there is nobody to tell.
    let _ = writeln!(io::stderr().lock(), "{}", printable::line(&value.to_string()));
}

/// Says how a quote was wrapped, if it was.
pub(crate) fn note_origin(evidence: &Evidence) {
    if let Some(origin) = evidence.origin() {
        note(format_args!("the quote was read from {origin}"));
    }
}

/// Prints what is wrong with the command line, in several lines.
pub(crate) fn usage(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", printable::lines(text.trim_end()));
}

fn write(text: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}
