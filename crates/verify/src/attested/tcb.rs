//! The TCB of a platform and its Quoting Enclave.

use std::time::SystemTime;

use dcap_qvl::QuoteClaims;
use serde::Serialize;

use super::rfc3339;
use crate::collateral::parse_date;
use crate::tcb_level::PlatformLevel;
use crate::{TcbStatus, UnknownTcbStatus};

/// The combined TCB of the platform and its Quoting Enclave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AttestedTcb {
    /// The status: the worse of the two.
    pub status: TcbStatus,
    /// Date of the TCB level, the earlier of the two: it includes Intel's fixes up to then. In JSON
    /// RFC 3339, UTC.
    #[serde(serialize_with = "rfc3339")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub date: SystemTime,
    /// Intel's security advisories behind the status, such as `INTEL-SA-00615`.
    pub advisory_ids: Vec<String>,
    /// `tcbEvaluationDataNumber`, the TCB recovery event of the collateral: the lower one of TCB
    /// info and QE identity.
    pub evaluation_data_number: u32,
}

impl AttestedTcb {
    /// Combines the level of the platform with that of the QE in `claims`. A TD was launched at
    /// `level`; `current` is the status of its platform now.
    pub(crate) fn new(
        PlatformLevel { level, current }: PlatformLevel,
        claims: &QuoteClaims,
    ) -> Result<Self, String> {
        let qe = &claims.qe.tcb_level;
        let qe_status = qe.tcb_status.to_string().parse();
        let qe_status = qe_status.map_err(|error: UnknownTcbStatus| error.to_string())?;
        let qe_date = parse_date("the QE identity", &qe.tcb_date);
        let mut advisory_ids = level.advisory_ids;
        for id in &qe.advisory_ids {
            if !advisory_ids.contains(id) {
                advisory_ids.push(id.clone());
            }
        }
        let status = level.status.with_component(qe_status);
        let current = current.map(|current| current.with_component(qe_status));
        Ok(Self {
            status: current.map_or(status, |current| status.with_current(current)),
            date: level.date.min(qe_date.map_err(|error| error.to_string())?),
            advisory_ids,
            evaluation_data_number: claims.tcb.eval_data_number,
        })
    }
}
