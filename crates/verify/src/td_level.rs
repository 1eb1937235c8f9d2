//! The TCB level of a trust domain's platform, by the rules of Intel's verifier.

use sgx::{QuoteBody, TdReport10, TeeTcbSvn};

use crate::collateral::{TdxModule, TdxModuleIdentity, TdxModules};
use crate::failure::Problem;
use crate::platform_level::PlatformLevel;
use crate::{TcbInfo, TcbLevel, TcbStatus, VerdictCode};

/// The SVNs in a PCK certificate.
#[derive(Clone, Copy)]
pub(crate) struct CertifiedSvns {
    /// Of the 16 TCB components.
    pub(crate) components: [u8; 16],
    /// Of the PCE.
    pub(crate) pce_svn: u16,
}

/// The level at the launch of the TD, with that of its TDX module, and the level now if the quote
/// states it (TDX 1.5). A revoked level is an error.
pub(crate) fn td_level(
    info: &TcbInfo,
    svns: CertifiedSvns,
    td: &TdReport10,
    body: &QuoteBody,
) -> Result<PlatformLevel, Problem> {
    let modules = info.tdx_modules.as_ref().ok_or_else(|| undecided("it has no tdxModule"))?;
    let launched = reached(info, modules, svns, td.tee_tcb_svn)?;
    check_module(modules, td)?;
    let current = body.td_15().map(|td| reached(info, modules, svns, td.tee_tcb_svn_2));
    Ok(PlatformLevel { current: current.transpose()?.map(Box::new), ..launched })
}

/// The level for these SVNs of TDX, that of platform and module combined.
fn reached(
    info: &TcbInfo,
    modules: &TdxModules,
    svns: CertifiedSvns,
    tee_tcb_svn: TeeTcbSvn,
) -> Result<PlatformLevel, Problem> {
    let mut levels = info.tcb_levels.iter();
    let level = levels.find(|level| {
        level.is_reached_by(&svns.components, svns.pce_svn) && level.is_reached_by_td(tee_tcb_svn)
    });
    let level = level.ok_or_else(|| {
        Problem::new(VerdictCode::TcbTooLow, "the platform is below every published version")
    })?;
    let level = match modules.identity(tee_tcb_svn)? {
        None => PlatformLevel::from(level),
        Some(identity) => PlatformLevel::from(level).with_module(identity, tee_tcb_svn)?,
    };
    match level.status {
        TcbStatus::Revoked => {
            Err(Problem::new(VerdictCode::TcbRevoked, "the platform's security version is revoked"))
        }
        _ => Ok(level),
    }
}

impl TcbLevel {
    /// True if a TD's report has these TDX TCB components, or higher ones.
    ///
    /// The first two SVNs are the SVN and version of the module. A module of a version above 0 has
    /// levels of its own, so they are not compared here.
    fn is_reached_by_td(&self, tee_tcb_svn: TeeTcbSvn) -> bool {
        let [_, module_version, ..] = tee_tcb_svn.0;
        let skipped = if module_version == 0 { 0 } else { 2 };
        self.tdx_components.as_ref().is_some_and(|components| {
            let mut pairs = components.iter().zip(tee_tcb_svn.0).skip(skipped);
            pairs.all(|(needed, has)| has >= needed.svn)
        })
    }
}

impl PlatformLevel {
    /// Combined with the level of the TDX module: the worse status, the earlier date, all
    /// advisories.
    fn with_module(
        mut self,
        identity: &TdxModuleIdentity,
        tee_tcb_svn: TeeTcbSvn,
    ) -> Result<Self, Problem> {
        let [isv_svn, ..] = tee_tcb_svn.0;
        let mut levels = identity.tcb_levels.iter();
        let module = levels.find(|level| isv_svn >= level.isv_svn);
        let module = module.ok_or_else(|| {
            Problem::new(VerdictCode::TcbTooLow, "the TDX module is below every published version")
        })?;
        self.status = self.status.with_component(module.status);
        self.date = self.date.min(module.date);
        for id in &module.advisory_ids {
            if !self.advisory_ids.contains(id) {
                self.advisory_ids.push(id.clone());
            }
        }
        Ok(self)
    }
}

impl TdxModules {
    /// The identity of the module with these SVNs; `None` for version 0.
    fn identity(&self, tee_tcb_svn: TeeTcbSvn) -> Result<Option<&TdxModuleIdentity>, Problem> {
        let [_, version, ..] = tee_tcb_svn.0;
        if version == 0 {
            return Ok(None);
        }
        let id = format!("TDX_{version:02X}");
        let mut identities = self.identities.iter();
        let found = identities.find(|identity| identity.id.eq_ignore_ascii_case(&id));
        found.map(Some).ok_or_else(|| {
            mismatch(&format!("the TCB info knows no TDX module {id}; fetch newer TCB info"))
        })
    }
}

/// Checks the signer and the attributes of the TDX module.
fn check_module(modules: &TdxModules, td: &TdReport10) -> Result<(), Problem> {
    let identity = modules.identity(td.tee_tcb_svn)?;
    let TdxModule { mr_signer, attributes } =
        identity.map_or(&modules.base, |identity| &identity.module);
    if td.mr_signer_seam != *mr_signer {
        return Err(mismatch("the TDX module's MRSIGNERSEAM is not the published one"));
    }
    // All bits are reserved, or mean that the module can be debugged.
    if td.seam_attributes == [0; 8] && *attributes == td.seam_attributes {
        return Ok(());
    }
    Err(mismatch("the TDX module's SEAMATTRIBUTES are not the published ones, all 0"))
}

fn undecided(reason: &str) -> Problem {
    let reason = format!("the TCB info cannot be used for this TD: {reason}; fetch newer TCB info");
    Problem::new(VerdictCode::MismatchedCollateral, reason)
}

fn mismatch(reason: &str) -> Problem {
    Problem::new(VerdictCode::TdxModuleMismatch, reason)
}
