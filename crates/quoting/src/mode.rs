//! The choice between quoting in the application's own process and asking the quote service.

use std::ffi::OsString;
use std::path::PathBuf;

use untrusted_input::environment;

/// The environment variable that chooses: set to anything, the quote service is asked.
pub const SGX_AESM_ADDR: &str = "SGX_AESM_ADDR";

/// Where every AESM client expects the service's socket.
pub const DEFAULT_SOCKET: &str = "/var/run/aesmd/aesm.socket";

/// Where an application's quotes come from. One application never uses both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuotingMode {
    /// Its own process.
    InProcess,
    /// The quote service that listens at this path.
    OutOfProcess(PathBuf),
}

impl QuotingMode {
    /// The mode that the value of [`SGX_AESM_ADDR`] chooses, as Intel's library does it: any value,
    /// even an empty one, is out-of-process. An absolute path is the socket's; for any other value the
    /// socket is the [default one](DEFAULT_SOCKET).
    #[must_use]
    pub fn choose(sgx_aesm_addr: Option<OsString>) -> Self {
        match sgx_aesm_addr.map(PathBuf::from) {
            None => Self::InProcess,
            Some(path) if path.is_absolute() => Self::OutOfProcess(path),
            Some(_) => Self::OutOfProcess(DEFAULT_SOCKET.into()),
        }
    }

    /// The mode of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self::choose(environment::var_os(SGX_AESM_ADDR))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unset_is_in_process_and_any_value_is_not() {
        let default = QuotingMode::OutOfProcess(DEFAULT_SOCKET.into());
        assert_eq!(QuotingMode::choose(None), QuotingMode::InProcess);
        for value in ["1", "0", "", "false", "run/aesm.socket"] {
            assert_eq!(QuotingMode::choose(Some(value.into())), default, "{value:?}");
        }
    }

    #[test]
    fn an_absolute_path_is_the_socket() {
        let mode = QuotingMode::choose(Some("/tmp/a/aesm.socket".into()));
        assert_eq!(mode, QuotingMode::OutOfProcess("/tmp/a/aesm.socket".into()));
    }
}
