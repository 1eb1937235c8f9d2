//! The CAs that issue PCK certificates.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One of the two CAs that issue PCK certificates. In JSON and in text as in the queries of a PCS:
/// `processor`, `platform`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PckCa {
    /// For single-package platforms.
    Processor,
    /// For multi-package platforms, and for the software platform.
    Platform,
}

impl PckCa {
    /// The CA with this common name; Intel's are "Intel SGX PCK Processor CA" and "… Platform CA".
    pub(super) fn named(common_name: &str) -> Option<Self> {
        match common_name {
            name if name.ends_with("SGX PCK Processor CA") => Some(Self::Processor),
            name if name.ends_with("SGX PCK Platform CA") => Some(Self::Platform),
            _ => None,
        }
    }
}

impl fmt::Display for PckCa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Processor => "processor",
            Self::Platform => "platform",
        })
    }
}
