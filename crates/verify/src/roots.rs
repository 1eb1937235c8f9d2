//! Trusted root certificates.

use std::fmt;

use dcap_qvl::config::{Config, CryptoProvider};
use dcap_qvl::configs::DefaultConfig;
use rustls_pki_types::CertificateDer;
use serde::Serialize;
use x509_cert::Certificate;
use x509_cert::der::Decode;

/// As published at certificates.trustedservices.intel.com, valid until the end of 2049.
const INTEL: &[u8] = include_bytes!("intel_sgx_root_ca.der");
const INTEL_SUBJECT: &str = "C=US,ST=CA,L=Santa Clara,O=Intel Corporation,CN=Intel SGX Root CA";

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
    der: Vec<u8>,
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
        Self(vec![TrustedRoot::new(INTEL_SUBJECT.to_owned(), INTEL)])
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
        let certificate = Certificate::from_der(der).map_err(|_| RootError::Unreadable)?;
        webpki::anchor_from_trusted_cert(&CertificateDer::from(der))
            .map_err(|_| RootError::Unreadable)?;
        let names = certificate.tbs_certificate();
        if names.subject() != names.issuer() {
            return Err(RootError::NotSelfIssued(names.subject().to_string()));
        }
        Ok(Self::new(names.subject().to_string(), der))
    }

    fn new(subject: String, der: &[u8]) -> Self {
        Self { subject, sha256: <DefaultConfig as Config>::Crypto::sha256(der), der: der.to_vec() }
    }

    /// The certificate as DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// True for Intel's SGX root.
    pub(crate) fn is_intel(&self) -> bool {
        self.der == INTEL
    }
}

impl fmt::Debug for TrustedRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TrustedRoot({}, SHA-256 {})", self.subject, hex::encode(self.sha256))
    }
}
