//! JSON with a signature over its bytes.

use serde::{Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Authority, PkiError};

/// TCB info or an enclave identity, to the byte as it was signed.
#[derive(Debug, Clone)]
pub struct SignedJson {
    /// The text that is signed, UTF-8.
    pub json: String,
    /// ECDSA P-256 with SHA-256 over the text, 64 bytes: r ‖ s, big-endian.
    pub signature: [u8; 64],
}

impl SignedJson {
    pub(crate) fn sign(value: &impl Serialize, signer: &Authority) -> Result<Self, PkiError> {
        let json = serde_json::to_string(value)?;
        let signature = signer.issuer.key().sign_fixed(json.as_bytes());
        Ok(Self { json, signature })
    }
}

/// Writes a time as Intel does: `2026-01-31T00:00:00Z`.
pub(crate) fn time<S: Serializer>(time: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    time.format(&Rfc3339).map_err(serde::ser::Error::custom)?.serialize(serializer)
}
