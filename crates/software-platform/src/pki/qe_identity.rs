//! QE identity, version 2: which enclave is the Quoting Enclave.

use serde::Serialize;
use sgx::MrSigner;
use time::OffsetDateTime;

use super::collateral_issue::{CollateralIssue, TcbStatus, Validity};
use super::signed_json;
use crate::identities::QE_SVN;

/// The inner JSON of a QE identity answer of the PCS API v4, in Intel's order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QeIdentity {
    id: &'static str,
    version: u8,
    #[serde(serialize_with = "signed_json::time")]
    issue_date: OffsetDateTime,
    #[serde(serialize_with = "signed_json::time")]
    next_update: OffsetDateTime,
    tcb_evaluation_data_number: u32,
    miscselect: &'static str,
    miscselect_mask: &'static str,
    attributes: &'static str,
    attributes_mask: &'static str,
    #[serde(serialize_with = "hex::serialize_upper")]
    mrsigner: [u8; 32],
    isvprodid: u16,
    tcb_levels: [Level; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Level {
    tcb: Tcb,
    #[serde(serialize_with = "signed_json::time")]
    tcb_date: OffsetDateTime,
    tcb_status: TcbStatus,
}

#[derive(Serialize)]
struct Tcb {
    isvsvn: u16,
}

impl QeIdentity {
    /// The software platform's QE, up to date since `since`. The attributes are INIT and
    /// PROVISION_KEY, with MODE64BIT and XFRM left open, as in Intel's QE identity.
    pub(crate) fn new(issue: &CollateralIssue, validity: Validity, since: OffsetDateTime) -> Self {
        Self {
            id: "QE",
            version: 2,
            issue_date: validity.issued,
            next_update: validity.next_update,
            tcb_evaluation_data_number: issue.tcb_evaluation_data_number,
            miscselect: "00000000",
            miscselect_mask: "FFFFFFFF",
            attributes: "11000000000000000000000000000000",
            attributes_mask: "FBFFFFFFFFFFFFFF0000000000000000",
            mrsigner: MrSigner::INTEL_QE.0,
            isvprodid: 1,
            tcb_levels: [Level {
                tcb: Tcb { isvsvn: QE_SVN },
                tcb_date: since,
                tcb_status: TcbStatus::UpToDate,
            }],
        }
    }
}
