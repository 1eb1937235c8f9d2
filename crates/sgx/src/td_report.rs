//! The report of a trust domain (TD) as quotes carry it. From `sgx_quote_4.h` and `sgx_quote_5.h`
//! of the DCAP API.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::describe::display_description;
use crate::{CpuSvn, Describe, Description, Measurement, ReportData, TdAttributes, TeeTcbSvn, U64};

/// TD report of TDX 1.0, 584 bytes (`sgx_report2_body_t`).
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct TdReport10 {
    /// TEE_TCB_SVN: SVN and major version of the TDX module, and the SVNs below it.
    pub tee_tcb_svn: TeeTcbSvn,
    /// MRSEAM: measurement of the TDX module.
    pub mr_seam: Measurement,
    /// MRSIGNERSEAM: signer of the TDX module; zero for Intel's.
    pub mr_signer_seam: Measurement,
    /// SEAMATTRIBUTES: attributes of the TDX module; zero for Intel's.
    pub seam_attributes: [u8; 8],
    /// TDATTRIBUTES: debuggable, migratable and so on.
    pub td_attributes: TdAttributes,
    /// XFAM: the processor state that the TD may use, as in XCR0.
    pub xfam: U64,
    /// MRTD: measurement of the initial contents of the TD.
    pub mr_td: Measurement,
    /// MRCONFIGID: configuration not chosen by the TD's owner.
    pub mr_config_id: Measurement,
    /// MROWNER: the TD's owner.
    pub mr_owner: Measurement,
    /// MROWNERCONFIG: configuration chosen by the TD's owner.
    pub mr_owner_config: Measurement,
    /// RTMR0 to RTMR3: measurements that the TD extends while it runs.
    pub rtmr: [Measurement; 4],
    /// REPORTDATA: the data that the TD binds to the report.
    pub report_data: ReportData,
}

/// TD report of TDX 1.5, 648 bytes (`sgx_report2_body_v1_5_t`).
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct TdReport15 {
    /// The report of TDX 1.0.
    pub base: TdReport10,
    /// TEE_TCB_SVN_2: as TEE_TCB_SVN, of the module that runs now; the TD may have been launched
    /// under an older one.
    pub tee_tcb_svn_2: TeeTcbSvn,
    /// MRSERVICETD: the service TDs that are bound to this one; zero if there is none.
    pub mr_service_td: Measurement,
}

/// Extended TD report of TDX 1.5, 885 bytes (`sgx_report2_body_v1_5_ex_t`).
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct TdReport15Ex {
    /// The report of TDX 1.5.
    pub base: TdReport15,
    /// The virtual machine of a partitioned TD; 0 for the TD itself.
    pub vm_id: u8,
    /// Identifies this launch of the TD.
    pub td_id: [u8; 32],
    /// Hash of the device information of the TD.
    pub device_info: Measurement,
    /// The service TDs that were bound when the TD was created.
    pub initial_service_td_hash: Measurement,
    /// The attributes of the service TD that was bound when the TD was created.
    pub initial_service_td_attributes: TdAttributes,
    /// CPUSVN when the TD was created.
    pub initial_cpu_svn: CpuSvn,
    /// TEE_TCB_SVN when the TD was created.
    pub initial_tee_tcb_svn: TeeTcbSvn,
    /// The kind of platform on which the TD was created.
    pub initial_tee_fmspc: [u8; 12],
    /// The service TDs that are bound now.
    pub current_service_td_hash: Measurement,
    /// The attributes of the service TD that is bound now.
    pub current_service_td_attributes: TdAttributes,
}

impl Describe for TdReport10 {
    fn describe(&self) -> Description {
        let [rtmr0, rtmr1, rtmr2, rtmr3] = &self.rtmr;
        Description::default()
            .bytes("TEE_TCB_SVN", &self.tee_tcb_svn.0)
            .bytes("MRSEAM", &self.mr_seam.0)
            .bytes("MRSIGNERSEAM", &self.mr_signer_seam.0)
            .bytes("SEAMATTRIBUTES", &self.seam_attributes)
            .text("TDATTRIBUTES", self.td_attributes)
            .text("XFAM", format_args!("{:#x}", self.xfam))
            .bytes("MRTD", &self.mr_td.0)
            .bytes("MRCONFIGID", &self.mr_config_id.0)
            .bytes("MROWNER", &self.mr_owner.0)
            .bytes("MROWNERCONFIG", &self.mr_owner_config.0)
            .bytes("RTMR0", &rtmr0.0)
            .bytes("RTMR1", &rtmr1.0)
            .bytes("RTMR2", &rtmr2.0)
            .bytes("RTMR3", &rtmr3.0)
            .bytes("REPORTDATA", &self.report_data.0)
    }
}

impl Describe for TdReport15 {
    fn describe(&self) -> Description {
        self.base
            .describe()
            .bytes("TEE_TCB_SVN_2", &self.tee_tcb_svn_2.0)
            .bytes("MRSERVICETD", &self.mr_service_td.0)
    }
}

impl Describe for TdReport15Ex {
    fn describe(&self) -> Description {
        self.base
            .describe()
            .text("VM id", self.vm_id)
            .bytes("TD id", &self.td_id)
            .bytes("device info", &self.device_info.0)
            .bytes("initial service TD hash", &self.initial_service_td_hash.0)
            .text("initial service TD attributes", self.initial_service_td_attributes)
            .bytes("initial CPUSVN", &self.initial_cpu_svn.0)
            .bytes("initial TEE_TCB_SVN", &self.initial_tee_tcb_svn.0)
            .bytes("initial TEE FMSPC", &self.initial_tee_fmspc)
            .bytes("current service TD hash", &self.current_service_td_hash.0)
            .text("current service TD attributes", self.current_service_td_attributes)
    }
}

display_description!(TdReport10, TdReport15, TdReport15Ex);
