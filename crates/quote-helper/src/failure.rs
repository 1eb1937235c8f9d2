//! How a command ends other than well: the exit codes, in one place.

use std::process::ExitCode;

use crate::output;

/// The exit codes as `--help` shows them.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done; for `verify`: the quote is trusted
  1  it failed; the message says why and what to do
  2  the command line is wrong
  3  `verify`: the quote is refused
  4  `verify`: it could not be decided, since evidence is missing or unusable";

/// Why a command did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something went wrong.
    Error(anyhow::Error),
    /// The verdict on a quote is no; it has been printed.
    Refused,
    /// There is no verdict on a quote; the reason has been printed.
    Undecided,
}

impl Failure {
    /// Says what went wrong, unless that has been said, and gives the exit code.
    pub(crate) fn report(self) -> ExitCode {
        match self {
            Self::Error(error) => {
                output::note(format_args!("error: {error:#}"));
                ExitCode::from(1)
            }
            Self::Refused => ExitCode::from(3),
            Self::Undecided => ExitCode::from(4),
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}
