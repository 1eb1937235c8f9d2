//! Which TCB level a platform reaches, by the rules of Intel's verifier.

use crate::failure::Problem;
use crate::pieces::Pieces;
use crate::{PckCertificate, TcbLevel, TcbStatus, Tee};

/// The level that the platform reaches. It is not a revoked one.
pub(crate) fn platform_level(pieces: &Pieces) -> Result<TcbLevel, Problem> {
    let Pieces { tcb_info, pck, .. } = pieces;
    if tcb_info.fmspc != pck.fmspc {
        return Err(Problem::Undecided(format!(
            "the TCB info is for platforms with FMSPC {}, this one has {}; fetch its collateral",
            hex::encode_upper(tcb_info.fmspc),
            hex::encode_upper(pck.fmspc)
        )));
    }
    if tcb_info.pce_id != pck.pce_id {
        return Err(Problem::Undecided(format!(
            "the TCB info is for PCE id {}, this platform's is {}; fetch its collateral",
            hex::encode_upper(tcb_info.pce_id),
            hex::encode_upper(pck.pce_id)
        )));
    }
    if tcb_info.tee != Tee::Sgx {
        return Err(Problem::Undecided(format!("the TCB info is of {}, not SGX", tcb_info.tee)));
    }
    match tcb_info.assess(&certified_svns(pck), pck.pce_svn).reached {
        None => Err(refused("the platform is below every published security version")),
        Some(level) if level.status == TcbStatus::Revoked => {
            Err(refused("the platform's security version is revoked"))
        }
        Some(level) => Ok(level),
    }
}

/// The SVNs of the 16 TCB components. Intel's verifier compares these as the certificate lists
/// them, and dcap-qvl compares the bytes of CPUSVN; where they differ, the lower one counts.
fn certified_svns(pck: &PckCertificate) -> [u8; 16] {
    let mut svns = pck.tcb_components;
    for (svn, byte) in svns.iter_mut().zip(pck.cpu_svn.0) {
        *svn = byte.min(*svn);
    }
    svns
}

fn refused(reason: &str) -> Problem {
    Problem::Refused(reason.to_owned())
}
