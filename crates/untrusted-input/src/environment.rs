//! Environment variables, as `secure_getenv` of the C library reads them.
//!
//! Whoever starts a setuid, setgid or file-capability program chooses its environment, and would
//! choose with it the files that the program reads and removes and the hosts that it sends secrets
//! to. The kernel marks such a program (`AT_SECURE`); in it, and for as long as it runs, no
//! variable is set.
#![allow(unsafe_code, reason = "getauxval is a C function")]

use std::env::{self, VarError};
use std::ffi::OsString;

/// True if variables are ignored, since the program gained privileges when it was started.
#[must_use]
pub fn is_ignored() -> bool {
    // SAFETY: takes a number, and looks it up in what the kernel gave to the process at its start.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// The variable, if it is set and not ignored.
#[must_use]
pub fn var_os(name: &str) -> Option<OsString> {
    if is_ignored() { None } else { env::var_os(name) }
}

/// The variable as text.
///
/// # Errors
/// [`VarError`] when it is not set or is ignored, or is not UTF-8.
pub fn var(name: &str) -> Result<String, VarError> {
    let value = var_os(name).ok_or(VarError::NotPresent)?;
    value.into_string().map_err(VarError::NotUnicode)
}

/// All variables; none if they are ignored.
pub fn vars_os() -> impl Iterator<Item = (OsString, OsString)> {
    (!is_ignored()).then(env::vars_os).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variables_of_an_ordinary_program_count() {
        assert!(!is_ignored());
        assert_eq!(var_os("PATH"), env::var_os("PATH"));
        assert_eq!(var("NO_SUCH_VARIABLE"), Err(VarError::NotPresent));
        assert_eq!(vars_os().count(), env::vars_os().count());
    }
}
