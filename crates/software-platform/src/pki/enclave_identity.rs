//! Enclave identity, version 2: which enclave is the Quoting Enclave, the Quote Verification
//! Enclave, the TD Quoting Enclave.

use serde::Serialize;
use sgx::MrSigner;
use time::OffsetDateTime;

use super::collateral_issue::{CollateralIssue, TcbStatus, Validity};
use super::signed_json;
use crate::identities::QE_SVN;

/// ISVSVN of Quote Verification Enclave and TD Quoting Enclave. The software platform has neither;
/// it says so much as a PCS has to say of them.
const OTHER_SVN: u16 = 1;

/// The enclaves that a PCS has identities of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlatformEnclave {
    Qe,
    Qve,
    TdQe,
}

/// The inner JSON of an enclave identity answer of the PCS API v4, in Intel's order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Identity {
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

impl Identity {
    /// An enclave that is up to date since `since`. Signers, product ids and attributes (INIT, and
    /// PROVISION_KEY for those that sign quotes, with MODE64BIT and XFRM left open) are those of
    /// Intel's identities, as its PCS publishes them.
    pub(crate) fn new(
        enclave: PlatformEnclave,
        issue: &CollateralIssue,
        validity: Validity,
        since: OffsetDateTime,
    ) -> Self {
        let (id, isvprodid, isvsvn, mrsigner) = match enclave {
            PlatformEnclave::Qe => ("QE", 1, QE_SVN, MrSigner::INTEL_QE),
            PlatformEnclave::Qve => ("QVE", 2, OTHER_SVN, MrSigner::INTEL_QE),
            PlatformEnclave::TdQe => ("TD_QE", 2, OTHER_SVN, MrSigner::INTEL_TD_QE),
        };
        Self {
            id,
            version: 2,
            issue_date: validity.issued,
            next_update: validity.next_update,
            tcb_evaluation_data_number: issue.tcb_evaluation_data_number,
            miscselect: "00000000",
            miscselect_mask: "FFFFFFFF",
            attributes: match enclave {
                PlatformEnclave::Qe | PlatformEnclave::TdQe => "11000000000000000000000000000000",
                PlatformEnclave::Qve => "01000000000000000000000000000000",
            },
            attributes_mask: "FBFFFFFFFFFFFFFF0000000000000000",
            mrsigner: mrsigner.0,
            isvprodid,
            tcb_levels: [Level {
                tcb: Tcb { isvsvn },
                tcb_date: since,
                tcb_status: TcbStatus::UpToDate,
            }],
        }
    }
}
