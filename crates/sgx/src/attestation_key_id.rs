//! Attestation key id, by which caller and service agree on the signing key.

use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::describe::display_description;
use crate::{Describe, Description, MrSigner};

/// Extended attestation key id, 256 bytes (`sgx_att_key_id_ext_t` of the DCAP API).
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct AttestationKeyId {
    /// Structure id, 0.
    pub id: U16,
    /// Structure version, 0.
    pub version: U16,
    /// The number of used bytes of `mr_signer`, 32.
    pub mr_signer_length: U16,
    /// MRSIGNER of the Quoting Enclave; SHA-384 would need all 48 bytes.
    pub mr_signer: [u8; 48],
    /// ISVPRODID of the Quoting Enclave.
    pub prod_id: U32,
    /// ISVEXTPRODID of the Quoting Enclave.
    pub extended_prod_id: [u8; 16],
    /// CONFIGID of the Quoting Enclave.
    pub config_id: [u8; 64],
    /// ISVFAMILYID of the Quoting Enclave.
    pub family_id: [u8; 16],
    /// 0, 1: EPID; 2: ECDSA P-256; 3: ECDSA P-384.
    pub algorithm_id: U32,
    /// Service provider id of EPID; not compared.
    pub spid: [u8; 16],
    /// Attestation key type of EPID; not compared.
    pub att_key_type: U16,
    reserved: [u8; 80],
}

impl AttestationKeyId {
    /// The number of leading bytes that identify the key: `sgx_att_key_id_t` of the DCAP API.
    pub const COMPARED_SIZE: usize = 158;

    /// ECDSA P-256 by Intel's third Quoting Enclave, or a replacement of it.
    #[must_use]
    pub fn ecdsa_p256() -> Self {
        let mut key_id: Self = zerocopy::FromZeros::new_zeroed();
        key_id.mr_signer_length = U16::new(32);
        key_id.mr_signer[..32].copy_from_slice(&MrSigner::INTEL_QE.0);
        key_id.prod_id = U32::new(1);
        key_id.algorithm_id = U32::new(2);
        key_id
    }

    /// True if both name the same key.
    #[must_use]
    pub fn names_same_key(&self, other: &Self) -> bool {
        self.as_bytes().get(..Self::COMPARED_SIZE) == other.as_bytes().get(..Self::COMPARED_SIZE)
    }
}

impl Describe for AttestationKeyId {
    fn describe(&self) -> Description {
        Description::default()
            .text("id", self.id)
            .text("version", self.version)
            .text("MRSIGNER length", self.mr_signer_length)
            .bytes("MRSIGNER", &self.mr_signer)
            .text("product id", self.prod_id)
            .bytes("extended product id", &self.extended_prod_id)
            .bytes("CONFIGID", &self.config_id)
            .bytes("family id", &self.family_id)
            .text("algorithm id", self.algorithm_id)
            .bytes("SPID", &self.spid)
            .text("attestation key type", self.att_key_type)
            .reserved("reserved 176", &self.reserved)
    }
}

display_description!(AttestationKeyId);
