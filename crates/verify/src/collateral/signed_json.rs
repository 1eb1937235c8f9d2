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

/// The contents of signed JSON.
pub(super) trait Versioned: DeserializeOwned {
    /// `version`.
    fn version(&self) -> u32;
}

impl SignedJson<'_> {
    /// Reads the members of JSON of this version. Other versions lack members, so the version is
    /// the reason of errors.
    pub(super) fn parse<T: Versioned>(&self, needed: u8) -> Result<T, CollateralError> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let parsed: serde_json::Result<T> = serde_json::from_str(self.json);
        let version = match &parsed {
            Ok(contents) => Ok(contents.version()),
            Err(_) => serde_json::from_str(self.json).map(|Version { version }| version),
        };
        match version {
            Ok(version) if version != u32::from(needed) => {
                let reason = format!("it is version {version}; version {needed} is needed");
                Err(CollateralError::unreadable(self.what, &reason))
            }
            _ => {
                parsed.map_err(|error| CollateralError::unreadable(self.what, &json_error(&error)))
            }
        }
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
