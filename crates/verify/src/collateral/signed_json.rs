//! JSON with a signature over its very bytes.

use std::time::SystemTime;

use printable::json_error;
use serde::Deserialize;

use super::issuer_chain::check_tcb_signing;
use super::{CollateralError, Signer, Validity};
use crate::TrustedRoots;
use crate::signatures::signed_by;

/// One member of an answer, as it stands there, and the signature beside it.
pub(crate) struct SignedJson<'a> {
    pub(crate) what: &'static str,
    pub(crate) json: &'a str,
    /// r ‖ s, big-endian, 64 bytes.
    pub(crate) signature: &'a [u8],
}

impl SignedJson<'_> {
    /// Checks the version, before a field is missed that other versions do not have.
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

    /// Checks issuer, signature and dates; gives who signed.
    pub(super) fn check(
        &self,
        issuer_chain: &str,
        roots: &TrustedRoots,
        validity: Validity,
        now: SystemTime,
    ) -> Result<Signer, CollateralError> {
        let issuer = check_tcb_signing(self.what, issuer_chain, roots, now)?;
        if !signed_by(issuer.certificate.der(), self.json.as_bytes(), self.signature) {
            let reason = "is not what its publisher signed";
            return Err(CollateralError::wrongly_signed(self.what, reason));
        }
        validity.check(self.what, now)?;
        Ok(issuer.signer())
    }
}
