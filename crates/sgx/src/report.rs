//! REPORT, by which an enclave attests itself to another one on the same machine.

use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::describe::display_description;
use crate::{
    Attributes, ConfigId, CpuSvn, Describe, Description, IsvExtProdId, IsvFamilyId, KeyId,
    MrEnclave, MrSigner, ReportData,
};

/// The body of a REPORT, 384 bytes: the identity of the reporting enclave (SDM 3D, 38.15).
///
/// The MAC of a [`Report`] covers it, and a quote contains it.
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct ReportBody {
    /// CPUSVN of the processor.
    pub cpu_svn: CpuSvn,
    /// MISCSELECT of the enclave.
    pub misc_select: U32,
    reserved_1: [u8; 12],
    /// ISVEXTPRODID, with KSS.
    pub isv_ext_prod_id: IsvExtProdId,
    /// ATTRIBUTES of the enclave.
    pub attributes: Attributes,
    /// MRENCLAVE of the enclave.
    pub mr_enclave: MrEnclave,
    reserved_2: [u8; 32],
    /// MRSIGNER of the enclave.
    pub mr_signer: MrSigner,
    reserved_3: [u8; 32],
    /// CONFIGID, with KSS.
    pub config_id: ConfigId,
    /// ISVPRODID: the product among those of its signer.
    pub isv_prod_id: U16,
    /// ISVSVN: the security version of the enclave.
    pub isv_svn: U16,
    /// CONFIGSVN, with KSS.
    pub config_svn: U16,
    reserved_4: [u8; 42],
    /// ISVFAMILYID, with KSS.
    pub isv_family_id: IsvFamilyId,
    /// The data that the enclave binds to the REPORT.
    pub report_data: ReportData,
}

impl Default for ReportBody {
    fn default() -> Self {
        zerocopy::FromZeros::new_zeroed()
    }
}

impl Describe for ReportBody {
    fn describe(&self) -> Description {
        Description::default()
            .bytes("CPUSVN", &self.cpu_svn.0)
            .text("MISCSELECT", format_args!("{:#x}", self.misc_select))
            .reserved("reserved 20", &self.reserved_1)
            .bytes("ISVEXTPRODID", &self.isv_ext_prod_id.0)
            .text("ATTRIBUTES", self.attributes)
            .bytes("MRENCLAVE", &self.mr_enclave.0)
            .reserved("reserved 96", &self.reserved_2)
            .bytes("MRSIGNER", &self.mr_signer.0)
            .reserved("reserved 160", &self.reserved_3)
            .bytes("CONFIGID", &self.config_id.0)
            .text("ISVPRODID", self.isv_prod_id)
            .text("ISVSVN", self.isv_svn)
            .text("CONFIGSVN", self.config_svn)
            .reserved("reserved 262", &self.reserved_4)
            .bytes("ISVFAMILYID", &self.isv_family_id.0)
            .bytes("REPORTDATA", &self.report_data.0)
    }
}

/// REPORT, 432 bytes: the output of EREPORT (SDM 3D, 38.15).
///
/// Only the target enclave can check it, with a key that only it gets from EGETKEY.
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Report {
    /// The identity of the reporting enclave.
    pub body: ReportBody,
    /// The KEYID of the report key.
    pub key_id: KeyId,
    /// AES-128-CMAC of the body under the target's report key.
    pub mac: [u8; 16],
}

impl Default for Report {
    fn default() -> Self {
        zerocopy::FromZeros::new_zeroed()
    }
}

impl Describe for Report {
    fn describe(&self) -> Description {
        self.body.describe().bytes("KEYID", &self.key_id.0).bytes("MAC", &self.mac)
    }
}

display_description!(ReportBody, Report);
