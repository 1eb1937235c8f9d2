//! How a command ends other than well: the exit codes, in one place.

use std::process::ExitCode;

use anyhow::Error;
use clap::error::{ContextKind, ContextValue};

use crate::output;

/// The exit codes as `--help` shows them.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done; for `verify`: the quote is trusted; for `collateral status`: all is good
  1  it failed, or `check` found what keeps this machine from quoting; the message says why and what
     to do
  2  the command line is wrong
  3  `verify`: the quote is refused
  4  `verify`: it could not be decided, since evidence is missing or unusable
  5  `collateral status`: quotes verify, and somebody should have a look
  6  `collateral status`: a platform's TCB is out of date
  7  `collateral status`: something is revoked or has expired";

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
                ExitCode::from(1)
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

/// What an error names, if that has to be made printable: what was given, not what clap itself says.
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
    let mut explained = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !explained.contains(&cause) {
            explained = format!("{explained}: {cause}");
        }
    }
    explained
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}
