//! KEYREQUEST, the argument of EGETKEY.

use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::{Attributes, CpuSvn, KeyId};

/// The key that EGETKEY derives (SDM 3D, 38.17).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyName {
    /// For EINIT tokens; needs the attribute `EINITTOKEN_KEY`.
    EinitToken = 0,
    /// The provisioning key; needs the attribute `PROVISION_KEY`.
    Provision = 1,
    /// The provisioning seal key; needs the attribute `PROVISION_KEY`.
    ProvisionSeal = 2,
    /// The key that checks REPORTs made for the enclave.
    Report = 3,
    /// The key for data stored outside of the enclave.
    Seal = 4,
}

impl KeyName {
    /// The key name with this number.
    #[must_use]
    pub fn from_number(number: u16) -> Option<Self> {
        [Self::EinitToken, Self::Provision, Self::ProvisionSeal, Self::Report, Self::Seal]
            .into_iter()
            .find(|name| *name as u16 == number)
    }
}

/// KEYPOLICY: the parts of the enclave's identity that enter a seal key (SDM 3D, 38.17.2).
#[derive(Debug, Clone, Copy)]
pub struct KeyPolicy;

impl KeyPolicy {
    /// MRENCLAVE enters.
    pub const MRENCLAVE: u16 = 1 << 0;
    /// MRSIGNER enters.
    pub const MRSIGNER: u16 = 1 << 1;
    /// ISVPRODID does not enter.
    pub const NOISVPRODID: u16 = 1 << 2;
    /// CONFIGID and CONFIGSVN enter.
    pub const CONFIGID: u16 = 1 << 3;
    /// ISVFAMILYID enters.
    pub const ISVFAMILYID: u16 = 1 << 4;
    /// ISVEXTPRODID enters.
    pub const ISVEXTPRODID: u16 = 1 << 5;
}

/// KEYREQUEST, 512 bytes (SDM 3D, 38.17).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct KeyRequest {
    /// A [`KeyName`] as a number.
    pub key_name: U16,
    /// Bits of [`KeyPolicy`].
    pub key_policy: U16,
    /// ISVSVN of the key, at most the enclave's own.
    pub isv_svn: U16,
    reserved_1: [u8; 2],
    /// CPUSVN of the key, at most the processor's.
    pub cpu_svn: CpuSvn,
    /// The bits of the enclave's ATTRIBUTES that enter.
    pub attribute_mask: Attributes,
    /// Distinguishes keys that are otherwise the same.
    pub key_id: KeyId,
    /// The bits of the enclave's MISCSELECT that enter.
    pub misc_mask: U32,
    /// CONFIGSVN of the key, at most the enclave's own.
    pub config_svn: U16,
    reserved_2: [u8; 434],
}

impl KeyRequest {
    /// A request for this key, all else zero.
    #[must_use]
    pub fn new(key_name: KeyName) -> Self {
        let mut request: Self = zerocopy::FromZeros::new_zeroed();
        request.key_name = U16::new(key_name as u16);
        request
    }
}
