//! Why a call fails, in words and as a number.

use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use quoting::{QuotingError, SGX_AESM_ADDR};
use sgx::{AesmError, Quote3Error, QuoteExCall};

/// A call fails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The quote service is asked, and the call concerns quoting in this process.
    #[error(
        "this is for quoting in this process, but {SGX_AESM_ADDR} was set when the library was \
         loaded, so that the quote service is asked; start the application without it"
    )]
    Mode,
    /// Not a policy for enclaves that quote.
    #[error("there is no load policy {0} for quoting; it is 0 (persistent) or 1 (ephemeral)")]
    LoadPolicy(u32),
    /// Nothing that has a path.
    #[error("there is no path type {0}; it is 0 (QE3), 1 (PCE), 2 (QPL) or 3 (IDE)")]
    PathType(u32),
    /// The path leads to no file.
    #[error("{} is no regular file; name the file of the enclave or library", .0.display())]
    Path(PathBuf),
    /// There is no quote.
    #[error(transparent)]
    Quoting(#[from] QuotingError),
}

impl Failure {
    /// The code that the call returns. The answer of a `service` takes the way that it takes
    /// through Intel's two libraries, `call` in `libsgx_quote_ex` and then `libsgx_dcap_ql`.
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

/// The path, if a regular file is there.
pub(crate) fn regular_file(path: &CStr) -> Result<&CStr, Failure> {
    let file = Path::new(OsStr::from_bytes(path.to_bytes()));
    if file.is_file() { Ok(path) } else { Err(Failure::Path(file.to_owned())) }
}
