//! The TCB level of a platform, and the updates that it lacks.

use std::fmt;

use super::{TcbComponent, TcbInfo, TcbLevel};
use crate::TcbStatus;

/// The comparison of a platform with TCB info.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TcbAssessment {
    /// The highest level that the platform reaches; `None` below all levels.
    pub reached: Option<TcbLevel>,
    /// The SVNs below the highest current level. Empty if the platform has that level's status, or
    /// no level is current.
    pub shortfalls: Vec<Shortfall>,
}

/// An SVN that is too low.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortfall {
    /// The part of the TCB.
    pub of: TcbPart,
    /// The SVN of the platform.
    pub has: u16,
    /// The SVN of the level.
    pub needs: u16,
}

/// A part of the TCB with an SVN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TcbPart {
    /// A TCB component.
    Component {
        /// Its number, 1 to 16.
        number: u8,
        /// The party that updates it, if TCB info states it.
        category: Option<String>,
        /// Its kind, if TCB info states it.
        kind: Option<String>,
    },
    /// The Provisioning Certification Enclave.
    PceSvn,
}

impl TcbInfo {
    /// The highest level that these SVNs reach.
    pub(crate) fn reached(&self, components: &[u8; 16], pce_svn: u16) -> Option<&TcbLevel> {
        let mut levels = self.tcb_levels.iter();
        levels.find(|level| level.is_reached_by(components, pce_svn))
    }

    /// Compares the SGX TCB components and PCESVN of a PCK certificate with the levels, also in TCB
    /// info of TDX.
    #[must_use]
    pub fn assess(&self, components: &[u8; 16], pce_svn: u16) -> TcbAssessment {
        let reached = self.reached(components, pce_svn);
        let current = self.tcb_levels.iter().find(|level| is_current(level.status));
        let aim =
            current.filter(|current| reached.map(|level| level.status) != Some(current.status));
        let shortfalls = aim.map(|aim| aim.shortfalls(components, pce_svn).collect());
        TcbAssessment { reached: reached.cloned(), shortfalls: shortfalls.unwrap_or_default() }
    }
}

impl TcbLevel {
    /// True if a PCK certificate has these SGX TCB components and PCESVN, or higher ones.
    pub(crate) fn is_reached_by(&self, components: &[u8; 16], pce_svn: u16) -> bool {
        let mut pairs = self.components.iter().zip(components);
        pairs.all(|(needed, has)| *has >= needed.svn) && pce_svn >= self.pce_svn
    }

    fn shortfalls(&self, components: &[u8; 16], pce_svn: u16) -> impl Iterator<Item = Shortfall> {
        let pairs = (1..).zip(self.components.iter().zip(*components));
        let short = pairs.filter(|(_, (needed, has))| *has < needed.svn);
        let components = short.map(|(number, (needed, has))| Shortfall {
            of: TcbPart::component(number, needed),
            has: has.into(),
            needs: needed.svn.into(),
        });
        let needs = self.pce_svn;
        let pce = Shortfall { of: TcbPart::PceSvn, has: pce_svn, needs };
        components.chain((pce_svn < needs).then_some(pce))
    }
}

/// True if no update is missing at this status.
fn is_current(status: TcbStatus) -> bool {
    match status {
        TcbStatus::UpToDate
        | TcbStatus::SWHardeningNeeded
        | TcbStatus::ConfigurationNeeded
        | TcbStatus::ConfigurationAndSWHardeningNeeded => true,
        TcbStatus::OutOfDate
        | TcbStatus::OutOfDateConfigurationNeeded
        | TcbStatus::TDRelaunchAdvised
        | TcbStatus::TDRelaunchAdvisedConfigurationNeeded
        | TcbStatus::Revoked => false,
    }
}

impl TcbPart {
    fn component(number: u8, component: &TcbComponent) -> Self {
        let TcbComponent { category, kind, .. } = component.clone();
        let said = |text: &String| !text.is_empty();
        Self::Component { number, category: category.filter(said), kind: kind.filter(said) }
    }
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}, needs {}", self.of, self.has, self.needs)
    }
}

impl fmt::Display for TcbPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Component { number, category, kind } = self else {
            return f.write_str("PCESVN");
        };
        write!(f, "TCB component {number}")?;
        match [category.as_deref(), kind.as_deref()] {
            [None, None] => Ok(()),
            [Some(known), None] | [None, Some(known)] => write!(f, " ({known})"),
            [Some(category), Some(kind)] => write!(f, " ({category}: {kind})"),
        }
    }
}
