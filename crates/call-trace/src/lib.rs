//! One line on standard error for each call of a C library that fails, if the environment asks for
//! it: `QUOTE_HELPER_TRACE=stderr`.
//!
//! A C program sees a number. This is how somebody who runs it sees the words, without a debugger
//! and without a change of the program. The variable is read at the first failure and means nothing
//! in a program that gained privileges when it was started; calls that succeed do nothing here.

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, Write};
use std::sync::OnceLock;

use untrusted_input::environment;

/// The environment variable that asks for it.
pub const QUOTE_HELPER_TRACE: &str = "QUOTE_HELPER_TRACE";

/// The one value that it has.
const STDERR: &str = "stderr";

/// Tells that this function of the library returns this code, and why, if somebody wants to know.
pub fn failed(library: &str, function: &str, code: impl Display, reason: impl Display) {
    if !is_wanted() {
        return;
    }
    write(&line(library, function, code, reason));
}

fn line(library: &str, function: &str, code: impl Display, reason: impl Display) -> String {
    format!("{library}: {function} returns {code}: {}", printable::line(&reason.to_string()))
}

fn is_wanted() -> bool {
    static WANTED: OnceLock<bool> = OnceLock::new();
    *WANTED.get_or_init(|| match environment::var_os(QUOTE_HELPER_TRACE) {
        Some(value) if value == STDERR => true,
        Some(value) if !value.is_empty() => {
            write(&wrong(&value));
            false
        }
        _ => false,
    })
}

fn wrong(value: &OsString) -> String {
    format!("{QUOTE_HELPER_TRACE} is {value:?}; write {STDERR} to see why calls fail")
}

/// In one write, so that the lines of several threads and processes stay whole.
fn write(line: &str) {
    // With standard error gone there is nobody to tell.
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_all_that_a_programmer_needs_and_no_control_characters() {
        assert_eq!(
            line("libsgx_x", "sgx_f", "SGX_ERROR_BUSY (0x400a)", "no\nroom; try again"),
            "libsgx_x: sgx_f returns SGX_ERROR_BUSY (0x400a): no\\nroom; try again"
        );
    }

    #[test]
    fn another_value_is_told_with_the_one_that_is_wanted() {
        assert!(wrong(&"1".into()).contains("is \"1\"; write stderr"));
    }
}
