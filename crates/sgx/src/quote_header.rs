//! The header of a quote, the same in all versions.

use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::describe::display_description;
use crate::{Describe, Description};

/// The first 48 bytes of a quote (`sgx_quote3_t`, `sgx_quote4_header_t` of the DCAP API).
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct QuoteHeader {
    /// 3 to 5.
    pub version: U16,
    /// 2, ECDSA with P-256.
    pub attestation_key_type: U16,
    /// [`QuoteHeader::SGX`] or [`QuoteHeader::TDX`]; reserved and zero in version 3.
    pub tee_type: U32,
    /// ISVSVN of the QE. Reserved in version 4 and 5.
    pub qe_svn: U16,
    /// ISVSVN of the PCE. Reserved in version 4 and 5.
    pub pce_svn: U16,
    /// The vendor of the QE.
    pub qe_vendor_id: [u8; 16],
    /// Data of the QE; the first 16 bytes are the QE_ID.
    pub user_data: [u8; 20],
}

impl QuoteHeader {
    /// The version of quotes of the SGX Quoting Enclave.
    pub const VERSION: u16 = 3;
    /// The supported attestation key type: ECDSA with P-256.
    pub const ECDSA_P256: u16 = 2;
    /// The TEE type of SGX.
    pub const SGX: u32 = 0;
    /// The TEE type of TDX.
    pub const TDX: u32 = 0x81;
    /// The QE vendor id of Intel.
    pub const INTEL_QE_VENDOR_ID: [u8; 16] = [
        0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06,
        0x07,
    ];
}

impl Describe for QuoteHeader {
    fn describe(&self) -> Description {
        let tee = match self.tee_type.get() {
            Self::SGX => "SGX",
            Self::TDX => "TDX",
            _ => "unknown",
        };
        Description::default()
            .text("version", self.version)
            .text("attestation key type", self.attestation_key_type)
            .text("TEE type", format_args!("{:#x} ({tee})", self.tee_type))
            .text("QE SVN", self.qe_svn)
            .text("PCE SVN", self.pce_svn)
            .bytes("QE vendor id", &self.qe_vendor_id)
            .bytes("user data", &self.user_data)
    }
}

display_description!(QuoteHeader);
