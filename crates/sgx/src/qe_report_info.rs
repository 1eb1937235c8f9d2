//! QE report info, the optional proof that a quote is by the genuine QE.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::describe::display_description;
use crate::{Describe, Description, Report, TargetInfo};

/// QE report info, 960 bytes (`sgx_qe_report_info_t` of the DCAP API).
///
/// The caller sets the nonce and its own target info; the QE adds a REPORT for that target, with
/// report data SHA-256(nonce ‖ quote) ‖ 32 zero bytes.
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct QeReportInfo {
    /// The caller's nonce.
    pub nonce: [u8; 16],
    /// Target info of the application enclave.
    pub target_info: TargetInfo,
    /// The QE's REPORT for that target; zero in a request.
    pub qe_report: Report,
}

impl Default for QeReportInfo {
    fn default() -> Self {
        zerocopy::FromZeros::new_zeroed()
    }
}

impl Describe for QeReportInfo {
    fn describe(&self) -> Description {
        Description::default()
            .bytes("nonce", &self.nonce)
            .fields("target info", &self.target_info)
            .fields("QE report", &self.qe_report)
    }
}

display_description!(QeReportInfo);
