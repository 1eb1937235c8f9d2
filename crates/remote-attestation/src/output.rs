//! Output: results on standard output, notes on standard error.

use std::fmt::Display;
use std::io::{self, Write};

/// Prints a line of the result. Write errors are ignored, so that the enclaves go on without a
/// reader.
pub(crate) fn result(line: impl Display) {
    let _ = writeln!(io::stdout().lock(), "{}", printable::lines(&line.to_string()));
}

/// Prints a note for people.
pub(crate) fn note(line: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{}", printable::line(&line.to_string()));
}

/// The error and its causes, except those that it contains already.
pub(crate) fn explained(error: &anyhow::Error) -> String {
    error.chain().skip(1).fold(error.to_string(), |explained, cause| match cause.to_string() {
        cause if explained.contains(&cause) => explained,
        cause => format!("{explained}: {cause}"),
    })
}
