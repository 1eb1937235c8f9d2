//! The TCB of a platform and its Quoting Enclave.

use std::time::SystemTime;

use serde::Serialize;

use super::rfc3339;
use crate::TcbStatus;
use crate::collateral::EnclaveLevel;
use crate::platform_level::PlatformLevel;

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
    /// Combines the level of the platform with that of the QE.
    pub(crate) fn new(
        level: &PlatformLevel,
        qe: &EnclaveLevel,
        evaluation_data_number: u32,
    ) -> Self {
        let mut advisory_ids = level.advisory_ids.clone();
        for id in &qe.advisory_ids {
            if !advisory_ids.contains(id) {
                advisory_ids.push(id.clone());
            }
        }
        let status = level.status.with_component(qe.status);
        let current = level.current.map(|current| current.with_component(qe.status));
        Self {
            status: current.map_or(status, |current| status.with_current(current)),
            date: level.date.min(qe.date),
            advisory_ids,
            evaluation_data_number,
        }
    }
}
