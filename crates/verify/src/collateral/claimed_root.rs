//! The root at the end of a certificate chain, unverified.

use std::fmt;

use serde::Serialize;
use sgx::{CertificationDataType, Quote};

use super::certificate::{AuthorityId, Certificate};
use super::pck_chain::PckChain;
use super::{CollateralError, pem_chain};
use crate::{TrustedRoot, TrustedRoots};

/// The prefix of the common name of every software platform's root.
const SOFTWARE: &str = "INSECURE Software ";

/// The root at the end of a certificate chain, unverified. In JSON `{"subject", "sha256", "kind"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClaimedRoot {
    /// The name in the certificate (RFC 4514).
    pub subject: String,
    /// SHA-256 of the certificate's DER, 32 bytes.
    #[serde(with = "hex")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub sha256: [u8; 32],
    /// The kind of root.
    pub kind: RootKind,
    #[serde(skip)]
    authority: AuthorityId,
}

/// A kind of root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RootKind {
    /// Intel's SGX root, by name and key.
    Intel,
    /// The root of a software platform, by name; it protects nothing.
    Software,
    /// Any other one.
    Unknown,
}

impl ClaimedRoot {
    /// The root of the PCK certificate chain in `quote`; `None` if there is no readable one.
    #[must_use]
    pub fn of_quote(quote: &Quote) -> Option<Self> {
        let chain = PckChain::parse(embedded_chain(quote)?, &TrustedRoots::intel()).ok()?;
        Some(Self::of_chain(&chain))
    }

    /// The root at the end of a PCK certificate chain.
    pub(crate) fn of_chain(chain: &PckChain) -> Self {
        Self::new(&chain.root)
    }

    /// The root at the end of the issuer chain of `what`, in PEM.
    pub(crate) fn of_issuer_chain(what: &str, pem: &str) -> Result<Self, CollateralError> {
        let [_, root] = pem_chain::parse(what, pem.as_bytes())?;
        Ok(Self::new(&Certificate::parse(what, root)?))
    }

    fn new(root: &Certificate) -> Self {
        let kind = match root {
            root if is_intel(root) => RootKind::Intel,
            root if root.common_name().starts_with(SOFTWARE) => RootKind::Software,
            _ => RootKind::Unknown,
        };
        Self {
            subject: root.subject().to_owned(),
            sha256: root.sha256(),
            kind,
            authority: root.authority_id(),
        }
    }

    /// True for the trusted root and for other editions of it: same name, same key.
    pub(crate) fn is(&self, trusted: &TrustedRoot) -> bool {
        self.authority == trusted.certificate().authority_id()
    }
}

/// The PCK certificate chain in a quote, PEM; `None` if its certification data is of another type.
pub(crate) fn embedded_chain(quote: &Quote) -> Option<&[u8]> {
    let certification = &quote.signature.certification_data;
    (certification.data_type == CertificationDataType::PCK_CERTIFICATE_CHAIN)
        .then_some(certification.data.as_slice())
}

fn is_intel(root: &Certificate) -> bool {
    TrustedRoots::intel().iter().any(|intel| root.is_same_authority(intel.certificate()))
}

impl fmt::Display for ClaimedRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sha256 = hex::encode(self.sha256);
        write!(f, "{} \"{}\", SHA-256 {sha256}", self.kind, self.subject)
    }
}

impl fmt::Display for RootKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Intel => "Intel's root",
            Self::Software => "the INSECURE root of a software platform",
            Self::Unknown => "the unknown root",
        })
    }
}
