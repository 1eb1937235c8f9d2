//! The roles of Intel's PKI, which certificates have by their subject names.

use super::certificate::Certificate;
use super::{CollateralError, PckCa};
use crate::TrustedRoot;

/// The role of a certificate below the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Issues PCK certificates and their CRL.
    PckCa(PckCa),
    /// Certifies a platform's PCK.
    PckCertificate,
    /// Signs TCB info and enclave identities.
    TcbSigning,
}

impl Role {
    /// Checks for the subject that Intel documents for this role, of which none is a CA's.
    pub(super) fn check(
        self,
        what: &str,
        certificate: &Certificate,
        root: &TrustedRoot,
    ) -> Result<(), CollateralError> {
        let problem = match self.matches(certificate, root) {
            true if !certificate.is_ca() => return Ok(()),
            true => "which is the certificate of a CA".to_owned(),
            false => format!("which is not named as \"{}\"", self.phrase()),
        };
        let reason = format!("is by \"{}\", {problem}", certificate.subject());
        Err(CollateralError::wrongly_signed(what, &reason))
    }

    /// Under Intel's root the whole subject must match. The PKI of another root may put a prefix of
    /// its own before Intel's phrase.
    pub(super) fn matches(self, certificate: &Certificate, root: &TrustedRoot) -> bool {
        let name = certificate.common_name();
        match name.strip_suffix(self.phrase()) {
            Some(prefix) if root.is_intel() => prefix == "Intel " && certificate.is_of_intel(),
            prefix => prefix.is_some(),
        }
    }

    /// True if a common name ends as that of this role.
    pub(super) fn is_named(self, common_name: &str) -> bool {
        common_name.ends_with(self.phrase())
    }

    /// The end of the common name.
    fn phrase(self) -> &'static str {
        match self {
            Self::PckCa(PckCa::Processor) => "SGX PCK Processor CA",
            Self::PckCa(PckCa::Platform) => "SGX PCK Platform CA",
            Self::PckCertificate => "SGX PCK Certificate",
            Self::TcbSigning => "SGX TCB Signing",
        }
    }
}
