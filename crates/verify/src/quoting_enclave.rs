//! The Quoting Enclave compared with its published identity.

use sgx::{IntoBytes, ReportBody};

use crate::collateral::EnclaveLevel;
use crate::failure::Problem;
use crate::{EnclaveIdentity, VerdictCode};

/// Checks the identity of the Quoting Enclave, and returns the TCB level of its version.
pub(crate) fn check<'a>(
    qe: &ReportBody,
    identity: &'a EnclaveIdentity,
) -> Result<&'a EnclaveLevel, Problem> {
    let matches = [
        ("MRSIGNER", qe.mr_signer.0 == identity.mr_signer),
        ("DEBUG", !qe.attributes.is_debug()),
        ("ISVPRODID", qe.isv_prod_id.get() == identity.isv_prod_id),
        ("MISCSELECT", identity.misc_select.matches(qe.misc_select.as_bytes())),
        ("ATTRIBUTES", identity.attributes.matches(qe.attributes.as_bytes())),
    ];
    if let Some((field, _)) = matches.iter().find(|(_, matches)| !matches) {
        return Err(Problem::new(
            VerdictCode::QuotingEnclaveMismatch,
            format!("the Quoting Enclave's {field} is not the published one"),
        ));
    }
    let isv_svn = qe.isv_svn.get();
    let level = identity.tcb_levels.iter().find(|level| isv_svn >= level.isv_svn);
    level.ok_or_else(|| {
        Problem::new(
            VerdictCode::TcbTooLow,
            format!("the Quoting Enclave's ISVSVN {isv_svn} is below every published version"),
        )
    })
}
