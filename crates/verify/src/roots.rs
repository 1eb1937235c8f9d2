//! Trusted root certificates.

use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::Serialize;

use crate::collateral::Certificate;
use crate::signatures::PublicKey;

/// As published at certificates.trustedservices.intel.com, valid until the end of 2049.
const INTEL: &[u8] = include_bytes!("intel_sgx_root_ca.der");

/// The first byte of every DER certificate.
const DER_SEQUENCE: u8 = 0x30;

/// The root certificates that a verification trusts; at least one.
///
/// Production uses [`TrustedRoots::intel`]. Other roots replace Intel's; they do not add to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedRoots(Vec<TrustedRoot>);

/// One root certificate. In JSON `{"subject", "sha256"}`.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TrustedRoot {
    /// The name in the certificate (RFC 4514). Anybody can make a root of any name; `sha256`
    /// distinguishes them.
    pub subject: String,
    /// SHA-256 of the certificate's DER, 32 bytes.
    #[serde(with = "hex")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub sha256: [u8; 32],
    #[serde(skip)]
    certificate: Arc<Certificate>,
}

/// Intel's root. It is read outside of the lock, so that a child forked meanwhile does not wait for
/// it forever.
fn intels() -> &'static TrustedRoot {
    static INTELS: OnceLock<TrustedRoot> = OnceLock::new();
    if let Some(root) = INTELS.get() {
        return root;
    }
    #[allow(clippy::expect_used, reason = "it is a constant, which tests read")]
    let root = TrustedRoot::from_der(INTEL).expect("Intel's root is a certificate");
    INTELS.get_or_init(|| root)
}

/// Bytes that are not a root certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RootError {
    /// Neither form was recognized.
    #[error(
        "the trusted root holds no certificate; give an X.509 certificate as PEM \
         (\"-----BEGIN CERTIFICATE-----\") or DER"
    )]
    NoCertificate,
    /// A certificate that cannot be parsed.
    #[error(
        "a trusted root is not a readable X.509 certificate: it is damaged, truncated or of an \
         unsupported form; export it again"
    )]
    Unreadable,
    /// A certificate that another one issued.
    #[error("\"{0}\" is not a root certificate, since it is not self-issued; pass its root")]
    NotSelfIssued(String),
}

impl TrustedRoots {
    /// Intel's SGX root, which certifies every genuine platform.
    #[must_use]
    pub fn intel() -> Self {
        Self(vec![intels().clone()])
    }

    /// Reads one root as DER, or one or more as PEM.
    ///
    /// # Errors
    /// [`RootError`] when there is none, or one is not a root certificate.
    pub fn parse(bytes: &[u8]) -> Result<Self, RootError> {
        if bytes.first() == Some(&DER_SEQUENCE) {
            return Ok(Self(vec![TrustedRoot::from_der(bytes)?]));
        }
        let sections = pem::parse_many(bytes).map_err(|_| RootError::Unreadable)?;
        let certificates = sections.iter().filter(|section| section.tag() == "CERTIFICATE");
        let roots: Vec<TrustedRoot> = certificates
            .map(|section| TrustedRoot::from_der(section.contents()))
            .collect::<Result<_, _>>()?;
        if roots.is_empty() { Err(RootError::NoCertificate) } else { Ok(Self(roots)) }
    }

    /// This root alone.
    pub(crate) fn only(root: &TrustedRoot) -> Self {
        Self(vec![root.clone()])
    }

    /// These roots, then `others`.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// The roots, in the order in which they are tried.
    pub fn iter(&self) -> impl Iterator<Item = &TrustedRoot> {
        self.0.iter()
    }
}

impl Default for TrustedRoots {
    /// [`TrustedRoots::intel`].
    fn default() -> Self {
        Self::intel()
    }
}

impl TrustedRoot {
    fn from_der(der: &[u8]) -> Result<Self, RootError> {
        let certificate = Certificate::parse("a trusted root", der.to_vec());
        let certificate = certificate.map_err(|_| RootError::Unreadable)?;
        certificate.key().ok_or(RootError::Unreadable)?;
        let subject = certificate.subject().to_owned();
        if !certificate.is_self_issued() {
            return Err(RootError::NotSelfIssued(subject));
        }
        Ok(Self { subject, sha256: certificate.sha256(), certificate: certificate.into() })
    }

    /// The certificate as DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        self.certificate.der()
    }

    pub(crate) fn certificate(&self) -> &Arc<Certificate> {
        &self.certificate
    }

    /// The public key as in [`PublicKey::point`].
    pub(crate) fn key(&self) -> Option<PublicKey> {
        self.certificate.key()
    }

    /// True for Intel's SGX root.
    pub(crate) fn is_intel(&self) -> bool {
        self.der() == INTEL
    }
}

impl fmt::Debug for TrustedRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TrustedRoot({}, SHA-256 {})", self.subject, hex::encode(self.sha256))
    }
}
