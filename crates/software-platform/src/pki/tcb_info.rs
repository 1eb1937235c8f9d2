//! TCB info, version 3: the status of the TCB levels of an FMSPC.

use serde::Serialize;
use time::OffsetDateTime;

use super::collateral_issue::{CollateralIssue, TcbLevel, TcbStatus, Validity, whole_seconds_utc};
use super::signed_json;

/// The type of the first TCB component: the one that a microcode update raises.
pub const MICROCODE_COMPONENT: &str = "Early Microcode Update";

/// The inner JSON of a TCB info answer of the PCS API v4, in Intel's order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TcbInfo<'a> {
    id: &'static str,
    version: u8,
    #[serde(serialize_with = "signed_json::time")]
    issue_date: OffsetDateTime,
    #[serde(serialize_with = "signed_json::time")]
    next_update: OffsetDateTime,
    #[serde(serialize_with = "hex::serialize_upper")]
    fmspc: [u8; 6],
    #[serde(serialize_with = "hex::serialize_upper")]
    pce_id: [u8; 2],
    tcb_type: u8,
    tcb_evaluation_data_number: u32,
    tcb_levels: Vec<Level<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Level<'a> {
    tcb: Tcb,
    #[serde(serialize_with = "signed_json::time")]
    tcb_date: OffsetDateTime,
    tcb_status: TcbStatus,
    #[serde(rename = "advisoryIDs", skip_serializing_if = "<[String]>::is_empty")]
    advisory_ids: &'a [String],
}

#[derive(Serialize)]
struct Tcb {
    sgxtcbcomponents: [Component; 16],
    pcesvn: u16,
}

#[derive(Serialize)]
struct Component {
    svn: u8,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    kind: Option<ComponentKind>,
}

/// The type of a TCB component, in Intel's words.
#[derive(Serialize)]
struct ComponentKind {
    category: &'static str,
    #[serde(rename = "type")]
    component_type: &'static str,
}

/// The first one; the others have no meaning on the software platform.
const MICROCODE: ComponentKind =
    ComponentKind { category: "BIOS", component_type: MICROCODE_COMPONENT };

impl<'a> TcbInfo<'a> {
    pub(crate) fn new(issue: &'a CollateralIssue, validity: Validity) -> Self {
        Self {
            id: "SGX",
            version: 3,
            issue_date: validity.issued,
            next_update: validity.next_update,
            fmspc: issue.fmspc,
            pce_id: issue.pce_id,
            tcb_type: 0,
            tcb_evaluation_data_number: issue.tcb_evaluation_data_number,
            tcb_levels: issue.tcb_levels.iter().map(Level::from).collect(),
        }
    }
}

impl<'a> From<&'a TcbLevel> for Level<'a> {
    fn from(level: &'a TcbLevel) -> Self {
        let mut sgxtcbcomponents = level.cpu_svn.0.map(|svn| Component { svn, kind: None });
        sgxtcbcomponents[0].kind = Some(MICROCODE);
        Self {
            tcb: Tcb { sgxtcbcomponents, pcesvn: level.pce_svn },
            tcb_date: whole_seconds_utc(level.date).unwrap_or(level.date),
            tcb_status: level.status,
            advisory_ids: &level.advisory_ids,
        }
    }
}
