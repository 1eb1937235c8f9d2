//! SIGSTRUCT, the certificate of an enclave.

use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::{Attributes, IsvExtProdId, IsvFamilyId, MrEnclave};

/// SIGSTRUCT, 1,808 bytes: an enclave's measurement and product, signed with RSA-3072 by its vendor
/// (SDM 3D, 38.13). EINIT checks it. Tools keep it in a file of its own, or in the enclave's file.
///
/// The exponent of the key is 3. All numbers are little-endian, those of 384 bytes too.
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct SigStruct {
    /// [`SigStruct::HEADER`].
    pub header: [u8; 16],
    /// 0x8086 for Intel's enclaves, else 0.
    pub vendor: U32,
    /// The build date in BCD: 0xYYYYMMDD.
    pub date: U32,
    /// [`SigStruct::HEADER_2`].
    pub header_2: [u8; 16],
    /// For the vendor's use.
    pub sw_defined: U32,
    reserved_1: [u8; 84],
    /// Modulus of the vendor's key. Its SHA-256 is MRSIGNER.
    pub modulus: [u8; 384],
    /// Exponent of the vendor's key: 3.
    pub exponent: U32,
    /// RSASSA-PKCS1-v1_5 with SHA-256 over [`SigStruct::signed_bytes`].
    pub signature: [u8; 384],
    /// MISCSELECT.
    pub misc_select: U32,
    /// The bits of MISCSELECT that must be equal.
    pub misc_mask: U32,
    /// CET_ATTRIBUTES.
    pub cet_attributes: u8,
    /// The bits of CET_ATTRIBUTES that must be equal.
    pub cet_attributes_mask: u8,
    reserved_2: [u8; 2],
    /// ISVFAMILYID, with KSS.
    pub isv_family_id: IsvFamilyId,
    /// ATTRIBUTES.
    pub attributes: Attributes,
    /// The bits of ATTRIBUTES that must be equal.
    pub attributes_mask: Attributes,
    /// ENCLAVEHASH: the MRENCLAVE.
    pub enclave_hash: MrEnclave,
    reserved_3: [u8; 16],
    /// ISVEXTPRODID, with KSS.
    pub isv_ext_prod_id: IsvExtProdId,
    /// ISVPRODID.
    pub isv_prod_id: U16,
    /// ISVSVN.
    pub isv_svn: U16,
    reserved_4: [u8; 12],
    /// floor(signature² / modulus), with which EINIT checks the signature.
    pub q1: [u8; 384],
    /// floor((signature³ - q1 · signature · modulus) / modulus).
    pub q2: [u8; 384],
}

impl SigStruct {
    /// The first 16 bytes of each SIGSTRUCT.
    pub const HEADER: [u8; 16] = [6, 0, 0, 0, 0xe1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0];

    /// The 16 bytes after the date.
    pub const HEADER_2: [u8; 16] = [1, 1, 0, 0, 0x60, 0, 0, 0, 0x60, 0, 0, 0, 1, 0, 0, 0];

    /// The bytes under the signature: those before the key, and those between signature and Q1,
    /// except for the last 12.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        let (before_key, after_signature) = (0..128, 900..1_028);
        let bytes = self.as_bytes();
        let parts = [before_key, after_signature].map(|part| bytes.get(part).unwrap_or_default());
        parts.concat()
    }
}

impl Default for SigStruct {
    fn default() -> Self {
        Self {
            header: Self::HEADER,
            header_2: Self::HEADER_2,
            exponent: U32::new(3),
            ..zerocopy::FromZeros::new_zeroed()
        }
    }
}

const _: () = assert!(size_of::<SigStruct>() == 1_808);
