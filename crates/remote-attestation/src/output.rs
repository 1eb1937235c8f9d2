//! What people and programs read: results on standard output, notes on standard error.

use std::fmt::Display;
use std::io::{self, Write};

/// Prints a line of the result. With nobody to read it, the enclaves go on all the same.
pub(crate) fn result(line: impl Display) {
    let _ = writeln!(io::stdout().lock(), "{}", printable::lines(&line.to_string()));
}

/// Prints something about the result, which no program reads.
pub(crate) fn note(line: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{}", printable::line(&line.to_string()));
}

/// The error and its causes, but for those that it has named already.
pub(crate) fn explained(error: &anyhow::Error) -> String {
    error.chain().skip(1).fold(error.to_string(), |explained, cause| match cause.to_string() {
        cause if explained.contains(&cause) => explained,
        cause => format!("{explained}: {cause}"),
    })
}
