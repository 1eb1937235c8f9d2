//! Collateral of a provisioning certification service (PCS) beyond that of quotes.

use super::Deployment;
use crate::pki::{CollateralIssue, Identity, PkiError, PlatformEnclave, SignedJson, crl};

/// The collateral of a PCS that quotes of this platform do not need, but tools request.
#[derive(Debug, Clone)]
pub struct PcsCollateral {
    /// DER: the CRL of the PCK processor CA, which certifies no platform here.
    pub processor_crl: Vec<u8>,
    /// PEM: the certificates of the PCK processor CA and of the root.
    pub processor_crl_issuer_chain: String,
    /// The identity of the enclave that verifies quotes (QvE).
    pub qve_identity: SignedJson,
    /// The identity of the enclave that signs quotes of TDX. The platform makes no such quotes.
    pub td_qe_identity: SignedJson,
    /// PEM: the certificates of the TCB signer and of the root.
    pub identity_issuer_chain: String,
}

impl Deployment {
    /// Issues this collateral, valid for 30 days.
    ///
    /// # Errors
    /// As [`Deployment::collateral`].
    pub fn pcs_collateral(&self, issue: &CollateralIssue) -> Result<PcsCollateral, PkiError> {
        let validity = issue.validity()?;
        let identity = |enclave| {
            let identity = Identity::new(enclave, issue, validity, self.profile.created);
            SignedJson::sign(&identity, &self.tcb_signing)
        };
        Ok(PcsCollateral {
            processor_crl: crl(&self.processor_ca, &[], validity)?,
            processor_crl_issuer_chain: self.chain_pem(&self.processor_ca),
            qve_identity: identity(PlatformEnclave::Qve)?,
            td_qe_identity: identity(PlatformEnclave::TdQe)?,
            identity_issuer_chain: self.chain_pem(&self.tcb_signing),
        })
    }
}
