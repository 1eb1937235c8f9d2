//! The TCB level of a platform, by the rules of Intel's verifier.

use sgx::Quote;

use crate::failure::Problem;
use crate::platform_level::PlatformLevel;
use crate::td_level::{CertifiedSvns, td_level};
use crate::{SgxExtension, TcbInfo, TcbStatus, VerdictCode};

/// The TCB level of the quote's platform; a revoked one is an error.
pub(crate) fn platform_level(
    quote: &Quote,
    tcb_info: &TcbInfo,
    pck: &SgxExtension,
) -> Result<PlatformLevel, Problem> {
    check_same("FMSPC", &tcb_info.fmspc, &pck.fmspc)?;
    check_same("PCE id", &tcb_info.pce_id, &pck.pce_id)?;
    let (components, pce_svn) = (certified_svns(pck), pck.pce_svn);
    if let Some(td) = quote.body.td() {
        return td_level(tcb_info, CertifiedSvns { components, pce_svn }, td, &quote.body);
    }
    match tcb_info.reached(&components, pce_svn) {
        None => Err(Problem::new(
            VerdictCode::TcbTooLow,
            "the platform is below every published security version",
        )),
        Some(level) if level.status == TcbStatus::Revoked => {
            Err(Problem::new(VerdictCode::TcbRevoked, "the platform's security version is revoked"))
        }
        Some(level) => Ok(level.into()),
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
