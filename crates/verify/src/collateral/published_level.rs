//! TCB levels in the JSON of TCB info.

use std::time::SystemTime;

use serde::Deserialize;

use super::CollateralError;
use super::validity::parse_date;
use crate::TcbStatus;

const WHAT: &str = "the TCB info";

/// A TCB level of a platform or of a TDX module; the SVNs of the two differ.
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

impl<Svns> PublishedLevel<Svns> {
    /// The date of the level.
    pub(super) fn date(&self) -> Result<SystemTime, CollateralError> {
        parse_date(WHAT, &self.tcb_date)
    }
}
