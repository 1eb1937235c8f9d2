//! JSON with a signature over its exact bytes.

use std::time::SystemTime;

use printable::json_error;
use serde::Deserialize;

use super::issuer_chain::check_tcb_signing;
use super::{CollateralError, Signer, Validity};
use crate::TrustedRoots;
use crate::signatures::signed_by;

/// The signed member of a response, byte for byte, and its signature.
pub(crate) struct SignedJson<'a> {
    pub(crate) what: &'static str,
    pub(crate) json: &'a str,
    /// r ‖ s, big-endian, 64 bytes.
    pub(crate) signature: &'a [u8],
}

impl SignedJson<'_> {
    /// Checks the version first: other versions lack fields.
    pub(super) fn check_version(&self, needed: u8) -> Result<(), CollateralError> {
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
        Ok(())
    }

    /// Checks issuer, signature and dates, and returns the signer.
    pub(super) fn check(
        &self,
        issuer_chain: &str,
        roots: &TrustedRoots,
        validity: Validity,
        now: SystemTime,
    ) -> Result<Signer, CollateralError> {
        let issuer = check_tcb_signing(self.what, issuer_chain, roots, now)?;
        if !signed_by(issuer.certificate.der(), self.json.as_bytes(), self.signature) {
            let reason = "has a wrong signature";
            return Err(CollateralError::wrongly_signed(self.what, reason));
        }
        validity.check(self.what, now)?;
        Ok(issuer.signer())
    }
}
