//! Failures and their exit codes. `manual/pages` describes the codes of each command.

use std::process::ExitCode;

use anyhow::Error;
use clap::error::{ContextKind, ContextValue};
use hex::FromHexError;
use kubernetes::installation::InstallationError;

use crate::files::StandardInputTwice;
use crate::output;

/// The failure of a command.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line is wrong, or requests help.
    Usage(clap::Error),
    /// Any other error.
    Error(Error),
    /// A check failed; the findings have been printed.
    Diagnosed,
    /// A quote is refused; the verdict has been printed.
    Refused,
    /// There is no verdict on a quote; the reason has been printed.
    Undecided,
    /// Collateral needs attention; the problem has been printed.
    NeedsAttention,
    /// A platform's TCB is out of date; it has been printed.
    OutOfDate,
    /// A certificate or collateral is revoked or has expired; it has been printed.
    Invalid,
}

impl Failure {
    /// Prints the failure, unless that has been done, and returns the exit code.
    pub(crate) fn report(self) -> ExitCode {
        match self {
            Self::Usage(error) => report_usage(error),
            Self::Error(error) => {
                let text = format!("error: {}", explain(&error));
                // Its lists have a line for each item.
                match error.is::<InstallationError>() {
                    true => output::lines(&text),
                    false => output::note(text),
                }
                ExitCode::from(if error.is::<StandardInputTwice>() { 2 } else { 1 })
            }
            Self::Diagnosed => ExitCode::from(1),
            Self::Refused => ExitCode::from(3),
            Self::Undecided => ExitCode::from(4),
            Self::NeedsAttention => ExitCode::from(5),
            Self::OutOfDate => ExitCode::from(6),
            Self::Invalid => ExitCode::from(7),
        }
    }
}

/// Prints an error of the command line, whose arguments may be file names chosen by others.
fn report_usage(mut error: clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // A closed standard output needs no help.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let context: Vec<_> = error.context().filter_map(printable_context).collect();
    for (kind, value) in context {
        error.insert(kind, value);
    }
    output::lines(&error.to_string());
    ExitCode::from(2)
}

/// A given argument in an error, made printable; clap's own text is not touched.
fn printable_context(
    (kind, value): (ContextKind, &ContextValue),
) -> Option<(ContextKind, ContextValue)> {
    let line = |text: &String| printable::line(text).into_owned();
    match value {
        ContextValue::String(text) => Some((kind, ContextValue::String(line(text)))),
        ContextValue::Strings(texts) => {
            Some((kind, ContextValue::Strings(texts.iter().map(line).collect())))
        }
        _ => None,
    }
}

/// The error and its causes, without causes that it already contains, maybe escaped.
pub(crate) fn explain(error: &Error) -> String {
    let mut causes = error.chain().map(words);
    let mut explained = causes.next().unwrap_or_default();
    for cause in causes {
        if !explained.contains(&cause) && !explained.contains(&*printable::line(&cause)) {
            explained = format!("{explained}: {cause}");
        }
    }
    explained
}

/// The message of an error, rewritten for libraries whose messages are not readable.
fn words(error: &(dyn std::error::Error + 'static)) -> String {
    if let Some(error) = error.downcast_ref() {
        return printable::json_error(error);
    }
    match error.is::<FromHexError>() {
        true => "expected bytes in hexadecimal, two digits for each".to_owned(),
        false => error.to_string(),
    }
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}
