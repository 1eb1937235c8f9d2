//! The kinds of structures.

use sgx::Tee;

/// A kind of structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// A quote that is signed with ECDSA.
    Quote {
        /// 3, 4 or 5.
        version: u16,
        /// The kind of TEE.
        tee: Tee,
    },
    /// A quote that is signed with EPID (Intel Enhanced Privacy ID).
    EpidQuote {
        /// 1 or 2.
        version: u16,
    },
    /// A REPORT, 432 bytes, marked as local.
    LocalReport,
    /// Bytes with the size of a structure of the SGX SDK: REPORT, REPORT body, target info, QE
    /// report info or attestation key id.
    Structure,
}
