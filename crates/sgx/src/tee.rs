//! The kinds of trusted execution environment.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A kind of trusted execution environment. In JSON and in text `SGX` or `TDX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Tee {
    /// Enclaves.
    Sgx,
    /// Trust domains (TDs), which are virtual machines.
    Tdx,
}

impl fmt::Display for Tee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sgx => "SGX",
            Self::Tdx => "TDX",
        })
    }
}
