//! A verifier's requirements on an enclave or a TD.

mod rules;

use std::time::SystemTime;

use sgx::{ConfigId, IsvExtProdId, IsvFamilyId, Measurement, MrEnclave, MrSigner, ReportData};

use crate::{PlatformFeature, TcbStatus};

/// The requirements on an enclave or a TD. `None` and an empty list require nothing; a requirement
/// on a field that the quoted kind lacks refuses the quote.
///
/// The default accepts any identity, but no debug enclave and only [`TcbStatus::UpToDate`]. A
/// verifier that hands out secrets sets at least `mr_enclaves`, or `mr_signers` with `isv_prod_ids`
/// and `minimum_isv_svn`; for a TD `mr_tds` and the `rtmrs` that its software extends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The enclave has one of these MRENCLAVEs.
    pub mr_enclaves: Vec<MrEnclave>,
    /// The enclave has one of these MRSIGNERs.
    pub mr_signers: Vec<MrSigner>,
    /// The enclave has one of these ISVPRODIDs.
    pub isv_prod_ids: Vec<u16>,
    /// The lowest ISVSVN.
    pub minimum_isv_svn: Option<u16>,
    /// The enclave has one of these ISVEXTPRODIDs, which need KSS as the next three do.
    pub isv_ext_prod_ids: Vec<IsvExtProdId>,
    /// The enclave has one of these ISVFAMILYIDs.
    pub isv_family_ids: Vec<IsvFamilyId>,
    /// The enclave has one of these CONFIGIDs.
    pub config_ids: Vec<ConfigId>,
    /// The lowest CONFIGSVN.
    pub minimum_config_svn: Option<u16>,
    /// The TD has one of these MRTDs.
    pub mr_tds: Vec<Measurement>,
    /// The TD has one of these RTMR0s, RTMR1s, RTMR2s and RTMR3s.
    pub rtmrs: [Vec<Measurement>; 4],
    /// All 64 bytes of REPORTDATA.
    pub report_data: Option<ReportData>,
    /// The result of the check that REPORTDATA binds the data that came with the quote, such as the
    /// key of a certificate; an error is the reason. `None` if no data came with it.
    pub binding: Option<Result<(), String>>,
    /// Accepts an enclave or TD that can be debugged, and so keeps no secrets.
    pub allow_debug: bool,
    /// The TCB statuses to accept. Each one besides `UpToDate` stands for a known weakness; a
    /// common one is `SWHardeningNeeded`, for enclaves with the mitigations that the advisories
    /// require. `Revoked` has no effect: it is always refused.
    pub accepted_tcb_statuses: Vec<TcbStatus>,
    /// Intel's security advisories to accept, such as `INTEL-SA-00615`. A status with at least one
    /// advisory is accepted if all of them are in this list; one without advisories only by its
    /// name.
    pub accepted_advisories: Vec<String>,
    /// The earliest date of the TCB level of platform and QE.
    pub minimum_tcb_date: Option<SystemTime>,
    /// The lowest TCB evaluation data number of TCB info and QE identity. Collateral from before a
    /// TCB recovery is still signed and in date; only this number excludes it.
    pub minimum_tcb_evaluation_data_number: Option<u32>,
    /// Features that the PCK certificate must state to be off. A certificate without the statement
    /// is refused, too.
    pub refused_features: Vec<PlatformFeature>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            mr_enclaves: Vec::new(),
            mr_signers: Vec::new(),
            isv_prod_ids: Vec::new(),
            minimum_isv_svn: None,
            isv_ext_prod_ids: Vec::new(),
            isv_family_ids: Vec::new(),
            config_ids: Vec::new(),
            minimum_config_svn: None,
            mr_tds: Vec::new(),
            rtmrs: Default::default(),
            report_data: None,
            binding: None,
            allow_debug: false,
            accepted_tcb_statuses: vec![TcbStatus::UpToDate],
            accepted_advisories: Vec::new(),
            minimum_tcb_date: None,
            minimum_tcb_evaluation_data_number: None,
            refused_features: Vec::new(),
        }
    }
}
