//! Errors of key derivation, of certificates and of collateral.

use time::OffsetDateTime;

/// A deployment, a certificate or collateral could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// The root's certificate would begin after its end, or before certificates were known.
    #[error(
        "the creation time {0} is not between 1970 and the end of the root in 2049; choose another"
    )]
    Created(OffsetDateTime),
    /// The time of issue, or that of the next update, cannot be written into collateral.
    #[error("the time of issue {0} is not between 1970 and 9999; set the clock")]
    Issued(OffsetDateTime),
    /// The public key to certify is not one.
    #[error("the public key to certify is not a point on the curve P-256")]
    PublicKey,
    /// The seed gives no private key, which has a probability of about 2^-8000.
    #[error("no private key {0:?} could be derived from the seed; choose another seed")]
    KeyDerivation(&'static str),
    /// No random bytes for a seed.
    #[error("the operating system gave no random bytes for a new seed")]
    Random,
    /// A certificate or CRL could not be encoded.
    #[error("a certificate or CRL could not be encoded: {0}")]
    Encode(#[from] rcgen::Error),
    /// TCB info or QE identity could not be written.
    #[error("TCB info or QE identity could not be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}
