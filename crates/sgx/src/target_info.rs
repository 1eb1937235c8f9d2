//! TARGETINFO, the target enclave of a REPORT.

use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::describe::display_description;
use crate::{Attributes, Describe, Description, MrEnclave};

/// TARGETINFO, 512 bytes: the enclave that can check the REPORT (SDM 3D, 38.16).
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct TargetInfo {
    /// The target enclave's MRENCLAVE.
    pub mr_enclave: MrEnclave,
    /// The target enclave's ATTRIBUTES.
    pub attributes: Attributes,
    reserved_1: [u8; 2],
    /// The target enclave's CONFIGSVN.
    pub config_svn: U16,
    /// The target enclave's MISCSELECT.
    pub misc_select: U32,
    reserved_2: [u8; 8],
    /// The target enclave's CONFIGID.
    pub config_id: [u8; 64],
    reserved_3: [u8; 384],
}

impl Default for TargetInfo {
    fn default() -> Self {
        zerocopy::FromZeros::new_zeroed()
    }
}

impl Describe for TargetInfo {
    fn describe(&self) -> Description {
        Description::default()
            .bytes("MRENCLAVE", &self.mr_enclave.0)
            .text("ATTRIBUTES", self.attributes)
            .reserved("reserved 48", &self.reserved_1)
            .text("CONFIGSVN", self.config_svn)
            .text("MISCSELECT", format_args!("{:#x}", self.misc_select))
            .reserved("reserved 56", &self.reserved_2)
            .bytes("CONFIGID", &self.config_id)
            .reserved("reserved 128", &self.reserved_3)
    }
}

display_description!(TargetInfo);
