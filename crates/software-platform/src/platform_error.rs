//! Errors of the creation of a platform.

use crate::{CertifyError, EgetkeyError, PkiError};

/// The platform cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum PlatformError {
    /// The deployment could not certify this machine.
    #[error("cannot issue the PCK certificate of this machine: {0}")]
    Pki(#[from] PkiError),
    /// The PCE did not certify the attestation key.
    #[error("cannot certify the attestation key: {0}")]
    Certify(#[from] CertifyError),
    /// The CPU refused a key to an enclave of the platform.
    #[error("cannot derive the keys of the platform's enclaves: {0}")]
    Egetkey(#[from] EgetkeyError),
    /// The crypto library rejected the attestation key.
    #[error(
        "the attestation key is not a valid P-256 key; remove its file, and it is created again"
    )]
    AttestationKey,
    /// No random bytes.
    #[error("the operating system gives no random bytes")]
    Random,
}
