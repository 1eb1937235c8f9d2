//! JSON with a signature over its exact bytes.

use printable::json_error;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::issuer_chain::TcbSigners;
use super::{CollateralError, Signer, Validity};

/// The signed member of a response, byte for byte, and its signature.
pub(crate) struct SignedJson<'a> {
    pub(crate) what: &'static str,
    pub(crate) json: &'a str,
    /// r ‖ s, big-endian, 64 bytes.
    pub(crate) signature: &'a [u8],
}

impl SignedJson<'_> {
    /// Reads the members. The version comes first: other versions lack members.
    pub(super) fn parse<T: DeserializeOwned>(&self, needed: u8) -> Result<T, CollateralError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let unreadable = |reason: String| CollateralError::unreadable(self.what, &reason);
        let Versioned { version } =
            serde_json::from_str(self.json).map_err(|error| unreadable(json_error(&error)))?;
        if version != u32::from(needed) {
            let reason = format!("it is version {version}; version {needed} is needed");
            return Err(unreadable(reason));
        }
        serde_json::from_str(self.json).map_err(|error| unreadable(json_error(&error)))
    }

    /// Checks issuer, signature and dates, and returns the signer.
    pub(super) fn check(
        &self,
        issuer_chain: &str,
        signers: &mut TcbSigners<'_>,
        validity: Validity,
    ) -> Result<Signer, CollateralError> {
        let now = signers.now;
        let issuer = signers.of(self.what, issuer_chain)?;
        let key = issuer.certificate.key();
        if !key.is_some_and(|key| key.signed(self.json.as_bytes(), self.signature)) {
            let reason = "has a wrong signature";
            return Err(CollateralError::wrongly_signed(self.what, reason));
        }
        validity.check(self.what, now)?;
        Ok(issuer.signer())
    }
}
