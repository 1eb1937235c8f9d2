//! Failures of a call, as text and as a number of Intel's.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use collateral::settings::SettingsError;
use collateral::{
    AttemptError, CollateralId, FetchError, OpenError, PckContentsError, SourceError,
};
use sgx::Quote3Error;
use verify::EnclaveId;

/// A failed call.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// An argument is invalid.
    #[error("{0}")]
    Argument(String),
    /// The settings cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A file that the settings name cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// An item is not cached, and no source has it.
    #[error("{error}")]
    Fetch {
        /// The item.
        item: CollateralId,
        /// The failures of the sources.
        error: FetchError,
    },
    /// A PCK certificate cannot be read.
    #[error(transparent)]
    PckContents(#[from] PckContentsError),
    /// A text with a zero byte, at which it would end in C.
    #[error("{0} has a zero byte in it")]
    ZeroByte(CollateralId),
    /// The size of a result does not fit into its integer.
    #[error("the answer is too large for this function")]
    TooLarge,
    /// The cache cannot be cleared.
    #[error("the cache cannot be cleared: {0}; check the permissions of its directory")]
    Clear(io::Error),
    /// There is no default policy.
    #[error("there is no default policy for platforms; pass one to the verifier")]
    NoPolicy,
    /// malloc has no memory.
    #[error("there is no memory left")]
    OutOfMemory,
    /// A bug in this library.
    #[error("the library panicked; please report it, with the output on stderr")]
    Panic,
}

impl Failure {
    /// A required argument is NULL.
    #[must_use]
    pub fn null(name: &str) -> Self {
        Self::Argument(format!("{name} is NULL"))
    }

    /// The number that Intel's library returns for it.
    #[must_use]
    pub fn quote3_error(&self) -> Quote3Error {
        match self {
            Self::Argument(_) => Quote3Error::INVALID_PARAMETER,
            Self::Settings(_) | Self::Open(_) => Quote3Error::CONFIG_INVALID_JSON,
            Self::Fetch { item, error } => of_fetch(item, error),
            Self::PckContents(_) | Self::ZeroByte(_) => Quote3Error::MESSAGE_PARSING,
            Self::NoPolicy => Quote3Error::NO_QUOTE_COLLATERAL_DATA,
            Self::OutOfMemory => Quote3Error::OUT_OF_MEMORY,
            Self::TooLarge | Self::Clear(_) | Self::Panic => Quote3Error::UNEXPECTED,
        }
    }
}

/// A required argument; `None` is NULL.
///
/// # Errors
/// [`Failure::Argument`].
pub fn required<T>(argument: Option<T>, name: &str) -> Result<T, Failure> {
    argument.ok_or_else(|| Failure::null(name))
}

/// Calls `serve`, and turns a panic, which C code cannot catch, into an error.
///
/// # Errors
/// Those of `serve`; [`Failure::Panic`].
pub fn guarded<E: From<Failure>>(serve: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
    // A panic may leave the caller's memory half written. After an error its content is undefined.
    catch_unwind(AssertUnwindSafe(serve)).unwrap_or(Err(Failure::Panic.into()))
}

/// The error of the last source that serves such items.
fn of_fetch(item: &CollateralId, error: &FetchError) -> Quote3Error {
    let mut reasons: Vec<_> = error.reasons().collect();
    reasons.retain(|reason| !matches!(reason, AttemptError::Source(SourceError::NotOffered(_))));
    match reasons.last() {
        Some(AttemptError::Source(error) | AttemptError::BackingOff { last: error, .. }) => {
            of_source(item, error)
        }
        Some(AttemptError::Refused(_)) => Quote3Error::MESSAGE_PARSING,
        None => not_found(item),
    }
}

fn of_source(item: &CollateralId, error: &SourceError) -> Quote3Error {
    match error {
        SourceError::NotFound | SourceError::NotOffered(_) => not_found(item),
        SourceError::UnknownPlatform => Quote3Error::PLATFORM_UNKNOWN,
        SourceError::NoCertificate => Quote3Error::CERTS_UNAVAILABLE,
        SourceError::Unreachable(_) | SourceError::Timeout | SourceError::Denied(403) => {
            Quote3Error::NETWORK
        }
        SourceError::Untrusted(_) => Quote3Error::ROOT_CA_UNTRUSTED,
        SourceError::Busy { status: 503, .. } => Quote3Error::SERVICE_UNAVAILABLE,
        SourceError::Busy { .. }
        | SourceError::Denied(_)
        | SourceError::Redirect(_)
        | SourceError::Status(_) => Quote3Error::UNKNOWN_MESSAGE_RESPONSE,
        SourceError::Malformed(_) => Quote3Error::MESSAGE_PARSING,
    }
}

fn not_found(item: &CollateralId) -> Quote3Error {
    match item {
        CollateralId::PckCertificate(_) => Quote3Error::NO_PLATFORM_CERT_DATA,
        CollateralId::PckCrl(_) | CollateralId::RootCaCrl => Quote3Error::NO_QUOTE_COLLATERAL_DATA,
        CollateralId::TcbInfo { .. } => Quote3Error::TCBINFO_NOT_FOUND,
        CollateralId::EnclaveIdentity { enclave: EnclaveId::Qve, .. } => {
            Quote3Error::NO_QVE_IDENTITY_DATA
        }
        CollateralId::EnclaveIdentity { .. } => Quote3Error::QEIDENTITY_NOT_FOUND,
    }
}
