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
    /// Combines the level of the platform with that of the QE. A TD whose platform was updated
    /// after its launch should be launched again.
    pub(crate) fn new(
        level: &PlatformLevel,
        qe: &EnclaveLevel,
        evaluation_data_number: u32,
    ) -> Self {
        let launched = Self::without_relaunch(level, qe, evaluation_data_number);
        let current = level.current.as_ref().map(|now| now.status.with_component(qe.status));
        let status = current.map_or(launched.status, |now| launched.status.with_current(now));
        Self { status, ..launched }
    }

    /// Combines a level with that of the QE.
    pub(crate) fn without_relaunch(
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
        Self {
            status: level.status.with_component(qe.status),
            date: level.date.min(qe.date),
            advisory_ids,
            evaluation_data_number,
        }
    }
}
