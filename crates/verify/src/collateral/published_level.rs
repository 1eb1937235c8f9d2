//! TCB levels in the JSON of TCB info and enclave identities.

use std::time::SystemTime;

use serde::Deserialize;

use super::CollateralError;
use super::validity::parse_date;
use crate::TcbStatus;

/// A TCB level of a platform, a TDX module or an enclave, whose SVNs differ.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PublishedLevel<Svns> {
    #[serde(rename = "tcb")]
    pub(super) svns: Svns,
    tcb_date: String,
    pub(super) tcb_status: TcbStatus,
    #[serde(default, rename = "advisoryIDs")]
    pub(super) advisory_ids: Vec<String>,
}

/// The statuses that a Quoting Enclave or a TDX module can have.
pub(super) const OF_COMPONENTS: [TcbStatus; 3] =
    [TcbStatus::UpToDate, TcbStatus::OutOfDate, TcbStatus::Revoked];

impl<Svns> PublishedLevel<Svns> {
    /// The status, which must be one of these.
    pub(super) fn status(
        &self,
        what: &str,
        possible: &[TcbStatus],
    ) -> Result<TcbStatus, CollateralError> {
        if possible.contains(&self.tcb_status) {
            return Ok(self.tcb_status);
        }
        let reason = format!(
            "it has a TCB level with the status {}; expected one of {}",
            self.tcb_status,
            TcbStatus::list(possible)
        );
        Err(CollateralError::unreadable(what, &reason))
    }

    /// The date of the level, which is in `what`.
    pub(super) fn date(&self, what: &str) -> Result<SystemTime, CollateralError> {
        parse_date(what, &self.tcb_date)
    }
}
