//! The URL below which certificates name their CRLs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest URL, in bytes; certificates carry it.
const MAX_LENGTH: usize = 200;

/// The URL of the provisioning certification service (PCS) of a deployment: certificates name
/// CRLs below it.
///
/// By default it is [`PcsUrl::DEFAULT`], the machine itself at the port that is usual for a PCCS.
/// It never changes, because certificates of deployments without a URL in their file carry it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PcsUrl(String);

/// A text is not such a URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "write http:// or https://, a host and perhaps a port and a path, without a query, in at most \
     {MAX_LENGTH} characters of ASCII"
)]
pub struct PcsUrlError;

impl PcsUrl {
    /// The URL of a deployment that is given none.
    pub const DEFAULT: &'static str = "http://localhost:8081";

    /// The URL, without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Tells if it is [`PcsUrl::DEFAULT`].
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.0 == Self::DEFAULT
    }

    /// The URL of the root's CRL (DER). At another URL than the default one the file has the name
    /// by which Intel's PCCS knows the CRL of a root.
    #[must_use]
    pub fn root_crl(&self) -> String {
        let file = if self.is_default() { "SGXRootCA.der" } else { "IntelSGXRootCA.der" };
        format!("{self}/{file}")
    }

    /// The URL of the CRL of the PCK platform CA (DER).
    #[must_use]
    pub fn pck_crl(&self) -> String {
        format!("{self}/sgx/certification/v4/pckcrl?ca=platform&encoding=der")
    }
}

impl Default for PcsUrl {
    fn default() -> Self {
        Self(Self::DEFAULT.to_owned())
    }
}

impl FromStr for PcsUrl {
    type Err = PcsUrlError;

    fn from_str(text: &str) -> Result<Self, PcsUrlError> {
        let url = text.trim_end_matches('/');
        let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
        let host = rest.ok_or(PcsUrlError)?.split(['/', ':']).next().unwrap_or_default();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/[]%".contains(c);
        match !host.is_empty() && url.len() <= MAX_LENGTH && url.chars().all(is_plain) {
            true => Ok(Self(url.to_owned())),
            false => Err(PcsUrlError),
        }
    }
}

impl TryFrom<String> for PcsUrl {
    type Error = PcsUrlError;

    fn try_from(text: String) -> Result<Self, PcsUrlError> {
        text.parse()
    }
}

impl From<PcsUrl> for String {
    fn from(url: PcsUrl) -> Self {
        url.0
    }
}

impl fmt::Display for PcsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
