//! A software enclave: EREPORT, and the check of what it gives.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use sgx::{
    Attributes, ConfigId, CpuSvn, IsvExtProdId, IsvFamilyId, KeyId, KeyName, MrEnclave, MrSigner,
    Report, ReportBody, ReportData, TargetInfo, U16, U32,
};
use zerocopy::IntoBytes;
use zeroize::Zeroizing;

use crate::Cpu;
use crate::cpu::{aes_cmac, built_in_key};
use crate::key_derivation::{ReportKeyData, derive};

/// The identity of an enclave, as in its SECS (SDM 3D, 38.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnclaveIdentity {
    /// MRENCLAVE: how the enclave was built.
    pub mr_enclave: MrEnclave,
    /// MRSIGNER: who signed it.
    pub mr_signer: MrSigner,
    /// ISVPRODID: which of its signer's products it is.
    pub isv_prod_id: u16,
    /// ISVSVN: its security version.
    pub isv_svn: u16,
    /// ATTRIBUTES.
    pub attributes: Attributes,
    /// MISCSELECT.
    pub misc_select: u32,
    /// CONFIGID, with KSS.
    pub config_id: [u8; 64],
    /// CONFIGSVN, with KSS.
    pub config_svn: u16,
    /// ISVFAMILYID, with KSS.
    pub isv_family_id: [u8; 16],
    /// ISVEXTPRODID, with KSS.
    pub isv_ext_prod_id: [u8; 16],
}

impl Default for EnclaveIdentity {
    /// An initialized 64-bit enclave with x87 and SSE state; all else zero.
    fn default() -> Self {
        Self {
            mr_enclave: MrEnclave::default(),
            mr_signer: MrSigner::default(),
            isv_prod_id: 0,
            isv_svn: 0,
            attributes: Attributes::new(Attributes::INIT | Attributes::MODE64BIT, 0x3),
            misc_select: 0,
            config_id: [0; 64],
            config_svn: 0,
            isv_family_id: [0; 16],
            isv_ext_prod_id: [0; 16],
        }
    }
}

/// A REPORT is not for this enclave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the REPORT's MAC does not match: it was made for another enclave or on another machine, or was \
     changed on the way; make a new one with this enclave's target info"
)]
pub struct ReportError;

/// An enclave on the software CPU.
#[derive(Debug, Clone)]
pub struct SoftwareEnclave {
    pub(crate) cpu: Cpu,
    pub(crate) identity: EnclaveIdentity,
    target_info: TargetInfo,
}

impl SoftwareEnclave {
    /// The enclave with this identity on the current CPU.
    #[must_use]
    pub fn new(identity: EnclaveIdentity) -> Self {
        Self::on(Cpu::default(), identity)
    }

    /// The enclave with this identity on this CPU.
    #[must_use]
    pub fn on(cpu: Cpu, identity: EnclaveIdentity) -> Self {
        let mut target_info = TargetInfo::default();
        target_info.mr_enclave = identity.mr_enclave;
        target_info.attributes = identity.attributes;
        target_info.config_svn = U16::new(identity.config_svn);
        target_info.misc_select = U32::new(identity.misc_select);
        target_info.config_id = identity.config_id;
        Self { cpu, identity, target_info }
    }

    /// The target info for REPORTs to this enclave.
    #[must_use]
    pub fn target_info(&self) -> TargetInfo {
        self.target_info
    }

    /// EREPORT (SDM 3D, 40.4): a REPORT of this enclave that only the target can check.
    ///
    /// As in the SDK's simulation mode, KEYID is the built-in report key and 16 zero bytes.
    #[must_use]
    pub fn report(&self, target: &TargetInfo, report_data: ReportData) -> Report {
        let (body, key_id) = (self.report_body(report_data), report_key_id());
        let key = report_key(target, self.cpu.cpu_svn(), key_id);
        let mac = aes_cmac(&key, body.as_bytes());
        Report { body, key_id, mac }
    }

    /// Checks, in constant time, that the REPORT was made for this enclave on this CPU.
    ///
    /// # Errors
    /// [`ReportError`] when its MAC is not the one under this enclave's report key.
    pub fn verify_report(&self, report: &Report) -> Result<(), ReportError> {
        let key = report_key(&self.target_info, self.cpu.cpu_svn(), report.key_id);
        let mac = aes_cmac(&key, report.body.as_bytes());
        verify_slices_are_equal(&mac, &report.mac).map_err(|_| ReportError)
    }

    fn report_body(&self, report_data: ReportData) -> ReportBody {
        let identity = &self.identity;
        let mut body = ReportBody::default();
        body.cpu_svn = self.cpu.cpu_svn();
        body.misc_select = U32::new(identity.misc_select);
        body.isv_ext_prod_id = IsvExtProdId(identity.isv_ext_prod_id);
        body.attributes = identity.attributes;
        body.mr_enclave = identity.mr_enclave;
        body.mr_signer = identity.mr_signer;
        body.config_id = ConfigId(identity.config_id);
        body.isv_prod_id = U16::new(identity.isv_prod_id);
        body.isv_svn = U16::new(identity.isv_svn);
        body.config_svn = U16::new(identity.config_svn);
        body.isv_family_id = IsvFamilyId(identity.isv_family_id);
        body.report_data = report_data;
        body
    }
}

/// The key that makes and checks REPORTs for the target.
pub(crate) fn report_key(
    target: &TargetInfo,
    cpu_svn: CpuSvn,
    key_id: KeyId,
) -> Zeroizing<[u8; 16]> {
    let data = ReportKeyData {
        key_name: U16::new(KeyName::Report as u16),
        padding: [0; 6],
        attributes: target.attributes,
        misc_select: target.misc_select,
        owner_epoch: Cpu::OWNER_EPOCH,
        mr_enclave: target.mr_enclave,
        cpu_svn,
        config_svn: target.config_svn,
        config_id: target.config_id,
        key_id,
        padding_end: [0; 2],
    };
    Zeroizing::new(derive(KeyName::Report, &data))
}

fn report_key_id() -> KeyId {
    let mut key_id = KeyId::default();
    let (first, _) = key_id.0.split_at_mut(16);
    first.copy_from_slice(&built_in_key(KeyName::Report));
    key_id
}
