//! The choice between quoting in the application's own process and asking the quote service.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use sgx::AesmError;
use untrusted_input::environment;

use crate::QuotingError;

/// The environment variable of the choice: if it is set, the quote service is asked.
pub const SGX_AESM_ADDR: &str = "SGX_AESM_ADDR";

/// The path of the service's socket that every AESM client expects.
pub const DEFAULT_SOCKET: &str = "/var/run/aesmd/aesm.socket";

/// The origin of an application's quotes. One application never uses both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuotingMode {
    /// Its own process.
    InProcess,
    /// The quote service that listens at this path.
    OutOfProcess(PathBuf),
}

/// The value of [`SGX_AESM_ADDR`] is meant as an address, and is none that can be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{SGX_AESM_ADDR} is {0:?}, which is no absolute path; write the socket's path from the root, \
     {DEFAULT_SOCKET} for instance, without a scheme, or 1 for that one"
)]
pub struct InvalidAddress(OsString);

impl QuotingMode {
    /// The mode that the value of [`SGX_AESM_ADDR`] chooses. An absolute path is the socket's; a
    /// word such as `1`, or an empty value, stands for the [default socket](DEFAULT_SOCKET).
    /// (Intel's library takes any value for that.)
    ///
    /// # Errors
    /// [`InvalidAddress`] for a relative path, a URL, or a host with a port: whatever has one of
    /// the characters `/`, `:` and `.`.
    pub fn choose(sgx_aesm_addr: Option<OsString>) -> Result<Self, InvalidAddress> {
        let Some(value) = sgx_aesm_addr else { return Ok(Self::InProcess) };
        let path = PathBuf::from(&value);
        if path.is_absolute() {
            return Ok(Self::OutOfProcess(path));
        }
        if is_address(&value) {
            return Err(InvalidAddress(value));
        }
        Ok(Self::OutOfProcess(DEFAULT_SOCKET.into()))
    }

    /// The mode of this process.
    ///
    /// # Errors
    /// As [`choose`](Self::choose).
    pub fn of_process() -> Result<Self, InvalidAddress> {
        Self::choose(environment::var_os(SGX_AESM_ADDR))
    }
}

impl From<InvalidAddress> for QuotingError {
    fn from(error: InvalidAddress) -> Self {
        Self::new(AesmError::Parameter, error.to_string())
    }
}

fn is_address(value: &OsStr) -> bool {
    value.as_encoded_bytes().iter().any(|byte| b"/:.".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unset_is_in_process_and_a_word_is_the_default_socket() {
        let default = Ok(QuotingMode::OutOfProcess(DEFAULT_SOCKET.into()));
        assert_eq!(QuotingMode::choose(None), Ok(QuotingMode::InProcess));
        for value in ["1", "0", "", "false", "aesm"] {
            assert_eq!(QuotingMode::choose(Some(value.into())), default, "{value:?}");
        }
    }

    #[test]
    fn an_absolute_path_is_the_socket() {
        let mode = QuotingMode::choose(Some("/tmp/a/aesm.socket".into()));
        assert_eq!(mode, Ok(QuotingMode::OutOfProcess("/tmp/a/aesm.socket".into())));
    }

    #[test]
    fn an_address_of_another_form_is_refused_with_the_form_that_is_wanted() {
        for value in ["./aesm.socket", "run/a", "aesm.socket", "unix:/run/a", "localhost:80"] {
            let error = QuotingMode::choose(Some(value.into())).unwrap_err();
            let error = QuotingError::from(error);
            assert_eq!(error.code(), AesmError::Parameter);
            let text = error.to_string();
            assert!(text.contains(value) && text.contains(DEFAULT_SOCKET), "{text}");
        }
    }
}
