//! How the Quoting Enclave and the platform compare with what is published.

use dcap_qvl::QeIdentity;
use dcap_qvl::intel::PckExtension;
use sgx::{IntoBytes, ReportBody};

use crate::failure::Problem;
use crate::{TcbInfo, TcbStatus, Tee};

/// Checks that the QE is the published one; gives the TCB status of its version.
pub(super) fn qe_match(
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
        return Err(Problem::Refused(format!(
            "the Quoting Enclave's {field} is not the published one"
        )));
    }
    let isv_svn = qe.isv_svn.get();
    let level = identity.tcb_levels.iter().find(|level| isv_svn >= level.tcb.isvsvn);
    level.map(|level| level.tcb_status).ok_or_else(|| {
        Problem::Refused(format!(
            "the Quoting Enclave's ISVSVN {isv_svn} is below every published version"
        ))
    })
}

/// Checks that the platform reaches a level, and that neither it nor the QE is revoked.
pub(super) fn level(
    info: &TcbInfo,
    platform: &PckExtension,
    qe_status: dcap_qvl::TcbStatus,
) -> Result<(), Problem> {
    if info.fmspc != platform.fmspc {
        return Err(Problem::Undecided(format!(
            "the TCB info is for platforms with FMSPC {}, this one has {}; fetch its collateral",
            hex::encode_upper(info.fmspc),
            hex::encode_upper(platform.fmspc)
        )));
    }
    if info.tee != Tee::Sgx {
        return Err(Problem::Undecided(format!("the TCB info is of {}, not SGX", info.tee)));
    }
    let assessment = info.assess(&platform.cpu_svn, platform.pce_svn);
    match assessment.reached.map(|level| level.status) {
        None => Err(refused("the platform is below every published security version")),
        Some(TcbStatus::Revoked) => Err(refused("the platform's security version is revoked")),
        Some(_) if qe_status == dcap_qvl::TcbStatus::Revoked => {
            Err(refused("the Quoting Enclave's security version is revoked"))
        }
        Some(_) => Ok(()),
    }
}

fn refused(reason: &str) -> Problem {
    Problem::Refused(reason.to_owned())
}
