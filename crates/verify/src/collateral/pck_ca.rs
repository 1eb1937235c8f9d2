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
    /// Both.
    pub const ALL: [Self; 2] = [Self::Processor, Self::Platform];
}

impl fmt::Display for PckCa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Processor => "processor",
            Self::Platform => "platform",
        })
    }
}
