//! JSON with a signature over its very bytes.

use std::time::SystemTime;

use serde_json::value::RawValue;

use super::issuer_chain::check_tcb_signing;
use super::{CollateralError, Validity};
use crate::TrustedRoots;
use crate::signatures::signed_by;

/// One member of an answer, as it stands there, and the signature beside it.
pub(super) struct SignedJson<'a> {
    pub(super) what: &'static str,
    pub(super) json: &'a RawValue,
    /// r ‖ s, big-endian.
    pub(super) signature: [u8; 64],
}

impl SignedJson<'_> {
    /// Checks issuer, signature and dates.
    pub(super) fn check(
        &self,
        issuer_chain: &str,
        roots: &TrustedRoots,
        validity: Validity,
        now: SystemTime,
    ) -> Result<(), CollateralError> {
        let signer = check_tcb_signing(self.what, issuer_chain, roots, now)?;
        if !signed_by(signer.der(), self.json.get().as_bytes(), &self.signature) {
            let reason = "is not what its publisher signed";
            return Err(CollateralError::wrongly_signed(self.what, reason));
        }
        validity.check(self.what, now)
    }
}
