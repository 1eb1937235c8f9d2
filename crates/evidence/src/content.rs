//! The kinds of structures.

use sgx::Tee;

use crate::quote_bytes::{HEADER_SIZE, SGX_REPORT_DATA_OFFSET, body_start, report_data_offset};

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

impl Content {
    /// REPORTDATA, 64 bytes, within the structure's bytes.
    pub(crate) fn report_data(self, bytes: &[u8]) -> Option<&[u8]> {
        let at = match self {
            Self::Quote { version, tee } => {
                body_start(version).checked_add(report_data_offset(tee))?
            }
            Self::EpidQuote { .. } => HEADER_SIZE.checked_add(SGX_REPORT_DATA_OFFSET)?,
            Self::LocalReport => SGX_REPORT_DATA_OFFSET,
            Self::Structure => return None,
        };
        bytes.get(at..)?.get(..64)
    }
}
