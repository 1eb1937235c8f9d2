//! One line on standard error for each failed call of a C library, with
//! `QUOTE_HELPER_TRACE=stderr`.
//!
//! A C program gets a number; this shows the reason, without a debugger or a change of the program.
//! The variable is read at the first failure, and ignored in a program that gained privileges at
//! its start.

use std::ffi::OsString;
use std::fmt::Display;
use std::io;
use std::sync::OnceLock;

use untrusted_input::environment;

/// The environment variable that enables the trace.
pub const QUOTE_HELPER_TRACE: &str = "QUOTE_HELPER_TRACE";

/// Its only value.
const STDERR: &str = "stderr";

/// Traces that this function of the library returns this code, for this reason.
pub fn failed(library: &str, function: &str, code: impl Display, reason: impl Display) {
    if is_enabled() {
        write(&line(library, function, code, reason));
    }
}

fn line(library: &str, function: &str, code: impl Display, reason: impl Display) -> String {
    format!("{library}: {function} returns {code}: {}", printable::line(&reason.to_string()))
}

fn is_enabled() -> bool {
    static ENABLED: OnceLock<bool> = OnceLock::new();
    *ENABLED.get_or_init(|| match environment::var_os(QUOTE_HELPER_TRACE) {
        Some(value) if value == STDERR => true,
        Some(value) if !value.is_empty() => {
            write(&unknown_value(&value));
            false
        }
        _ => false,
    })
}

fn unknown_value(value: &OsString) -> String {
    format!("{QUOTE_HELPER_TRACE} is {value:?}; set it to {STDERR} to see why calls fail")
}

/// Writes the line to standard error at once, so that lines of several threads and processes do not
/// mix; and past the lock of the standard library, of which a fork may have made a locked copy.
pub fn write(line: &str) {
    // Nobody reads a closed standard error.
    let _ = rustix::io::write(io::stderr(), format!("{line}\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_function_code_and_reason_without_control_characters() {
        assert_eq!(
            line("libsgx_x", "sgx_f", "SGX_ERROR_BUSY (0x400a)", "no\nroom; try again"),
            "libsgx_x: sgx_f returns SGX_ERROR_BUSY (0x400a): no\\nroom; try again"
        );
    }

    #[test]
    fn an_unknown_value_is_reported_with_the_expected_one() {
        assert!(unknown_value(&"1".into()).contains("is \"1\"; set it to stderr"));
    }
}
