//! Failures and their exit codes. `manual/pages` describes the codes of each command.

use std::process::ExitCode;

use anyhow::Error;
use clap::error::{ContextKind, ContextValue};
use hex::FromHexError;

use crate::files::StandardInputTwice;
use crate::output;

/// Why a command did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line is wrong, or asks for help.
    Usage(clap::Error),
    /// Something went wrong.
    Error(Error),
    /// Something keeps this machine from quoting; it has been printed.
    Diagnosed,
    /// The verdict on a quote is no; it has been printed.
    Refused,
    /// There is no verdict on a quote; the reason has been printed.
    Undecided,
    /// Something about collateral should be looked at; it has been printed.
    NeedsAttention,
    /// A platform's TCB is out of date; it has been printed.
    OutOfDate,
    /// A certificate or collateral is revoked or has expired; it has been printed.
    Invalid,
}

impl Failure {
    /// Says what went wrong, unless that has been said, and gives the exit code.
    pub(crate) fn report(self) -> ExitCode {
        match self {
            Self::Usage(error) => report_usage(error),
            Self::Error(error) => {
                output::note(format_args!("error: {}", explain(&error)));
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

/// Arguments may be names of files that others have chosen.
fn report_usage(mut error: clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // With nobody to read the help there is nothing to do.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let context: Vec<_> = error.context().filter_map(printable_context).collect();
    for (kind, value) in context {
        error.insert(kind, value);
    }
    output::usage(&error.to_string());
    ExitCode::from(2)
}

/// What an error names, if that has to be made printable: what was given, not what clap itself
/// says.
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

/// The error and its causes, but for those that it has named already.
pub(crate) fn explain(error: &Error) -> String {
    let mut causes = error.chain().map(words);
    let mut explained = causes.next().unwrap_or_default();
    for cause in causes {
        if !explained.contains(&cause) {
            explained = format!("{explained}: {cause}");
        }
    }
    explained
}

/// An error in words: those of libraries that say nothing to people are ours.
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
