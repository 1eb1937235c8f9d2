//! The TCB level of a platform, by the rules of Intel's verifier.

use sgx::Quote;

use crate::checked_evidence::CheckedEvidence;
use crate::failure::Problem;
use crate::td_level::{CertifiedSvns, td_level};
use crate::{SgxExtension, TcbLevel, TcbStatus, Tee, VerdictCode};

/// The TCB level of a platform.
pub(crate) struct PlatformLevel {
    /// The level; for a TD, the level at its launch.
    pub(crate) level: TcbLevel,
    /// The status of a TD's platform now, if the quote states it.
    pub(crate) current: Option<TcbStatus>,
}

/// The TCB level of the quote's platform; a revoked one is an error.
pub(crate) fn platform_level(
    quote: &Quote,
    evidence: &CheckedEvidence,
) -> Result<PlatformLevel, Problem> {
    let (tcb_info, pck) = (&evidence.tcb_info, &evidence.pck.extension);
    check_same("FMSPC", &tcb_info.fmspc, &pck.fmspc)?;
    check_same("PCE id", &tcb_info.pce_id, &pck.pce_id)?;
    let td = quote.body.td();
    let tee = if td.is_some() { Tee::Tdx } else { Tee::Sgx };
    if tcb_info.tee != tee {
        return Err(Problem::new(
            VerdictCode::MismatchedCollateral,
            format!("the TCB info is of {}, not {tee}", tcb_info.tee),
        ));
    }
    let (components, pce_svn) = (certified_svns(pck), pck.pce_svn);
    if let Some(td) = td {
        let svns = CertifiedSvns { components, pce_svn };
        let (level, current) = td_level(tcb_info, svns, td, &quote.body)?;
        return Ok(PlatformLevel { level, current });
    }
    match tcb_info.assess(&components, pce_svn).reached {
        None => Err(Problem::new(
            VerdictCode::TcbTooLow,
            "the platform is below every published security version",
        )),
        Some(level) if level.status == TcbStatus::Revoked => {
            Err(Problem::new(VerdictCode::TcbRevoked, "the platform's security version is revoked"))
        }
        Some(level) => Ok(PlatformLevel { level, current: None }),
    }
}

fn check_same(name: &str, published: &[u8], certified: &[u8]) -> Result<(), Problem> {
    if published == certified {
        return Ok(());
    }
    let [published, certified] = [published, certified].map(hex::encode_upper);
    let reason = format!(
        "the TCB info is for {name} {published}, this platform's is {certified}; fetch its collateral"
    );
    Err(Problem::new(VerdictCode::MismatchedCollateral, reason))
}

/// The SVNs of the 16 TCB components. Intel's verifier compares these as the certificate lists
/// them, and dcap-qvl compares the bytes of CPUSVN; where they differ, the lower one counts.
fn certified_svns(pck: &SgxExtension) -> [u8; 16] {
    let mut svns = pck.tcb_components;
    for (svn, byte) in svns.iter_mut().zip(pck.cpu_svn.0) {
        *svn = byte.min(*svn);
    }
    svns
}
