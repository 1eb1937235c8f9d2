//! Results of a verification (`sgx_ql_qv_result_t`).

use verify::TcbStatus;

/// A result. A call that returns an error leaves [`Self::UNSPECIFIED`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QvResult(pub(crate) u32);

impl QvResult {
    pub(crate) const OK: Self = Self(0);
    const CONFIG_NEEDED: Self = Self(0xa001);
    const OUT_OF_DATE: Self = Self(0xa002);
    const OUT_OF_DATE_CONFIG_NEEDED: Self = Self(0xa003);
    const REVOKED: Self = Self(0xa005);
    pub(crate) const UNSPECIFIED: Self = Self(0xa006);
    const SW_HARDENING_NEEDED: Self = Self(0xa007);
    const CONFIG_AND_SW_HARDENING_NEEDED: Self = Self(0xa008);
    const TD_RELAUNCH_ADVISED: Self = Self(0xa009);
    const TD_RELAUNCH_ADVISED_CONFIG_NEEDED: Self = Self(0xa00a);

    /// The result for the status of a platform.
    pub(crate) fn of(status: TcbStatus) -> Self {
        match status {
            TcbStatus::UpToDate => Self::OK,
            TcbStatus::SWHardeningNeeded => Self::SW_HARDENING_NEEDED,
            TcbStatus::ConfigurationNeeded => Self::CONFIG_NEEDED,
            TcbStatus::ConfigurationAndSWHardeningNeeded => Self::CONFIG_AND_SW_HARDENING_NEEDED,
            TcbStatus::TDRelaunchAdvised => Self::TD_RELAUNCH_ADVISED,
            TcbStatus::TDRelaunchAdvisedConfigurationNeeded => {
                Self::TD_RELAUNCH_ADVISED_CONFIG_NEEDED
            }
            TcbStatus::OutOfDate => Self::OUT_OF_DATE,
            TcbStatus::OutOfDateConfigurationNeeded => Self::OUT_OF_DATE_CONFIG_NEEDED,
            TcbStatus::Revoked => Self::REVOKED,
        }
    }
}
