//! The reasons for which calls fail, and their error codes.

use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use quoting::{QuotingError, SGX_AESM_ADDR};
use sgx::{AesmError, Quote3Error, QuoteExCall};

/// The reason for which a call fails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A call for quotes made in this process, in the mode with a quote service.
    #[error(
        "this is for quoting in this process, but {SGX_AESM_ADDR} was set when the library was \
         loaded, so that the quote service is asked; start the application without it"
    )]
    Mode,
    /// An unknown policy.
    #[error("unknown load policy {0}; expected 0 (persistent) or 1 (ephemeral)")]
    LoadPolicy(u32),
    /// An unknown type.
    #[error("unknown path type {0}; expected 0 (QE3), 1 (PCE), 2 (QPL) or 3 (IDE)")]
    PathType(u32),
    /// Not the path of a regular file.
    #[error("{} is not a regular file; name the file of the enclave or library", .0.display())]
    Path(PathBuf),
    /// The quoter failed.
    #[error(transparent)]
    Quoting(#[from] QuotingError),
}

impl Failure {
    /// The code that the call returns. An error of a `service` is translated twice, as by Intel's
    /// two libraries: by `call` in `libsgx_quote_ex`, then by `libsgx_dcap_ql`.
    pub(crate) fn quote3_error(&self, service: bool, call: QuoteExCall) -> Quote3Error {
        match self {
            Self::Mode => Quote3Error::UNSUPPORTED_MODE,
            Self::LoadPolicy(_) => Quote3Error::UNSUPPORTED_LOADING_POLICY,
            Self::PathType(_) | Self::Path(_) => Quote3Error::of_aesm(AesmError::Parameter),
            Self::Quoting(error) if service => Quote3Error::of_status(error.sgx_status(call)),
            Self::Quoting(QuotingError::Dcap { error, .. }) => *error,
            Self::Quoting(error) => Quote3Error::of_aesm(error.code()),
        }
    }
}

/// Checks that the path is that of a regular file.
pub(crate) fn regular_file(path: &CStr) -> Result<&CStr, Failure> {
    let file = Path::new(OsStr::from_bytes(path.to_bytes()));
    if file.is_file() { Ok(path) } else { Err(Failure::Path(file.to_owned())) }
}
