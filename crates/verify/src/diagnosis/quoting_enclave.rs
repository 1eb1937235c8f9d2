//! The Quoting Enclave compared with its published identity.

use dcap_qvl::QeIdentity;
use sgx::{IntoBytes, ReportBody};

use crate::VerdictCode;
use crate::failure::Problem;

/// Checks the identity of the QE, and returns the TCB status of its version.
pub(super) fn check(
    qe: &ReportBody,
    identity: &QeIdentity,
) -> Result<dcap_qvl::TcbStatus, Problem> {
    let masked = |actual: &[u8], expected: &[u8], mask: &[u8]| {
        let pairs = actual.iter().zip(expected);
        pairs.zip(mask).all(|((actual, expected), mask)| actual & mask == expected & mask)
    };
    let attributes = qe.attributes.as_bytes();
    let misc_select = qe.misc_select.as_bytes();
    let matches = [
        ("MRSIGNER", qe.mr_signer.0 == identity.mrsigner),
        ("DEBUG", !qe.attributes.is_debug()),
        ("ISVPRODID", qe.isv_prod_id.get() == identity.isvprodid),
        ("MISCSELECT", masked(misc_select, &identity.miscselect, &identity.miscselect_mask)),
        ("ATTRIBUTES", masked(attributes, &identity.attributes, &identity.attributes_mask)),
    ];
    if let Some((field, _)) = matches.iter().find(|(_, matches)| !matches) {
        return Err(Problem::new(
            VerdictCode::QuotingEnclaveMismatch,
            format!("the Quoting Enclave's {field} is not the published one"),
        ));
    }
    let isv_svn = qe.isv_svn.get();
    let level = identity.tcb_levels.iter().find(|level| isv_svn >= level.tcb.isvsvn);
    level.map(|level| level.tcb_status).ok_or_else(|| {
        Problem::new(
            VerdictCode::TcbTooLow,
            format!("the Quoting Enclave's ISVSVN {isv_svn} is below every published version"),
        )
    })
}
