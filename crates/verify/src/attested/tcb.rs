//! How current a platform is, together with its Quoting Enclave.

use std::time::SystemTime;

use dcap_qvl::QuoteClaims;
use serde::Serialize;

use crate::collateral::{parse_date, serialize_rfc3339};
use crate::tcb_level::PlatformLevel;
use crate::{TcbStatus, UnknownTcbStatus};

/// TCB of the platform and its Quoting Enclave together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AttestedTcb {
    /// The status: the worse of the two.
    pub status: TcbStatus,
    /// Date of the TCB level, the earlier of the two: flaws that Intel had fixed by then are fixed.
    /// In JSON RFC 3339, UTC.
    #[serde(serialize_with = "serialize_rfc3339")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub date: SystemTime,
    /// Intel's security advisories behind it, such as `INTEL-SA-00615`.
    pub advisory_ids: Vec<String>,
    /// The number of the TCB recovery event that the collateral knows of
    /// (`tcbEvaluationDataNumber`): the lower one of TCB info and QE identity.
    pub evaluation_data_number: u32,
}

impl AttestedTcb {
    /// Of a platform at this level, with the QE of these claims; a TD was launched at `level`, and
    /// the platform may have another status now.
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
