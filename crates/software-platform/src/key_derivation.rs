//! The input of the CPU's key derivation.
//!
//! Each key is AES-128-CMAC, under the built-in key of its name, over one of the structures below.
//! They are the C structures of the SDK's simulation mode as a compiler for x86-64 lays them out:
//! little-endian, each field at a multiple of its alignment (8 for ATTRIBUTES, 4 for MISCSELECT, 2
//! for security versions and product ids, 1 for byte strings), the whole a multiple of 8, padding
//! zero. Fields that the key policy does not select are zero. A number behind a field is its
//! offset.

use sgx::{Attributes, CpuSvn, KeyId, KeyName, MrEnclave, MrSigner};
use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromZeros, Immutable, IntoBytes, Unaligned};

use crate::cpu::{aes_cmac, built_in_key};

/// Derives the key of this name from its structure.
pub(crate) fn derive(name: KeyName, data: &(impl IntoBytes + Immutable)) -> [u8; 16] {
    aes_cmac(&built_in_key(name), data.as_bytes())
}

/// For the report key, 192 bytes.
#[derive(FromZeros, IntoBytes, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct ReportKeyData {
    pub(crate) key_name: U16, // 0
    pub(crate) padding: [u8; 6],
    /// Of the enclave that checks the REPORT, as the next four of its fields.
    pub(crate) attributes: Attributes, // 8
    pub(crate) misc_select: U32,      // 24
    pub(crate) owner_epoch: [u8; 16], // 28
    pub(crate) mr_enclave: MrEnclave, // 44
    /// Of the CPU.
    pub(crate) cpu_svn: CpuSvn, // 76
    pub(crate) config_svn: U16,       // 92
    pub(crate) config_id: [u8; 64],   // 94
    pub(crate) key_id: KeyId,         // 158
    pub(crate) padding_end: [u8; 2],
}

/// For the seal key, 280 bytes.
#[derive(FromZeros, IntoBytes, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct SealKeyData {
    pub(crate) key_name: U16,   // 0
    pub(crate) key_policy: U16, // 2
    pub(crate) padding: [u8; 4],
    /// Those of the enclave that the mask lets through.
    pub(crate) attributes: Attributes, // 8
    pub(crate) attribute_mask: Attributes, // 24
    /// The bits of the enclave that the mask lets through.
    pub(crate) misc_select: U32, // 40
    /// Every bit of the request's mask inverted.
    pub(crate) misc_mask: U32, // 44
    pub(crate) owner_epoch: [u8; 16],      // 48
    /// Of the request.
    pub(crate) cpu_svn: CpuSvn, // 64
    /// Of the request.
    pub(crate) isv_svn: U16, // 80
    pub(crate) isv_prod_id: U16,           // 82
    /// Of the request.
    pub(crate) config_svn: U16, // 84
    pub(crate) config_id: [u8; 64],        // 86
    pub(crate) isv_family_id: [u8; 16],    // 150
    pub(crate) isv_ext_prod_id: [u8; 16],  // 166
    pub(crate) mr_enclave: MrEnclave,      // 182
    pub(crate) mr_signer: MrSigner,        // 214
    pub(crate) key_id: KeyId,              // 246
    pub(crate) padding_end: [u8; 2],
}

/// For the provisioning seal key, 200 bytes: the seal key's without owner epoch, MRENCLAVE and
/// KEYID, so that it outlives a change of owner.
#[derive(FromZeros, IntoBytes, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct ProvisionSealKeyData {
    pub(crate) key_name: U16,   // 0
    pub(crate) key_policy: U16, // 2
    pub(crate) padding: [u8; 4],
    /// Those of the enclave that the mask lets through.
    pub(crate) attributes: Attributes, // 8
    pub(crate) attribute_mask: Attributes, // 24
    /// The bits of the enclave that the mask lets through.
    pub(crate) misc_select: U32, // 40
    /// Every bit of the request's mask inverted.
    pub(crate) misc_mask: U32, // 44
    /// Of the request.
    pub(crate) cpu_svn: CpuSvn, // 48
    /// Of the request.
    pub(crate) isv_svn: U16, // 64
    pub(crate) isv_prod_id: U16,           // 66
    /// Of the request.
    pub(crate) config_svn: U16, // 68
    pub(crate) config_id: [u8; 64],        // 70
    pub(crate) isv_family_id: [u8; 16],    // 134
    pub(crate) isv_ext_prod_id: [u8; 16],  // 150
    pub(crate) mr_signer: MrSigner,        // 166
    pub(crate) padding_end: [u8; 2],
}

/// For the provisioning key, 104 bytes.
#[derive(FromZeros, IntoBytes, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct ProvisionKeyData {
    pub(crate) key_name: U16, // 0
    pub(crate) padding: [u8; 6],
    /// Those of the enclave that the mask lets through.
    pub(crate) attributes: Attributes, // 8
    pub(crate) attribute_mask: Attributes, // 24
    /// The bits of the enclave that the mask lets through.
    pub(crate) misc_select: U32, // 40
    /// Every bit of the request's mask inverted.
    pub(crate) misc_mask: U32, // 44
    /// Of the request.
    pub(crate) cpu_svn: CpuSvn, // 48
    /// Of the request.
    pub(crate) isv_svn: U16, // 64
    pub(crate) isv_prod_id: U16,           // 66
    pub(crate) mr_signer: MrSigner,        // 68
    pub(crate) padding_end: [u8; 4],
}

/// For the EINIT token key, 128 bytes.
#[derive(FromZeros, IntoBytes, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct EinitTokenKeyData {
    pub(crate) key_name: U16, // 0
    pub(crate) padding: [u8; 6],
    /// Those of the enclave that the mask lets through.
    pub(crate) attributes: Attributes, // 8
    /// The bits of the enclave that the mask lets through.
    pub(crate) misc_select: U32, // 24
    pub(crate) owner_epoch: [u8; 16], // 28
    /// Of the request.
    pub(crate) cpu_svn: CpuSvn, // 44
    /// Of the request.
    pub(crate) isv_svn: U16, // 60
    pub(crate) isv_prod_id: U16,      // 62
    pub(crate) mr_signer: MrSigner,   // 64
    pub(crate) key_id: KeyId,         // 96
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use super::*;

    #[test]
    fn layouts_are_those_of_the_c_structures() {
        assert_eq!(size_of::<ReportKeyData>(), 192);
        assert_eq!(offset_of!(ReportKeyData, key_id), 158);
        assert_eq!(size_of::<SealKeyData>(), 280);
        assert_eq!(offset_of!(SealKeyData, isv_svn), 80);
        assert_eq!(offset_of!(SealKeyData, key_id), 246);
        assert_eq!(size_of::<ProvisionSealKeyData>(), 200);
        assert_eq!(offset_of!(ProvisionSealKeyData, mr_signer), 166);
        assert_eq!(size_of::<ProvisionKeyData>(), 104);
        assert_eq!(offset_of!(ProvisionKeyData, mr_signer), 68);
        assert_eq!(size_of::<EinitTokenKeyData>(), 128);
        assert_eq!(offset_of!(EinitTokenKeyData, key_id), 96);
    }
}
