//! The requirements on the platform.

use std::fmt::Display;

use sgx::{Fmspc, PlatformInstanceId, Ppid};

use super::rule::{Rule, required};
use crate::{Attested, AttestedPlatform, PlatformFeature, Step};

/// The requirements on the platform, which its PCK certificate must state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlatformPolicy {
    /// Features that the PCK certificate must state to be off. A certificate without the statement
    /// is refused, too.
    pub refused_features: Vec<PlatformFeature>,
    /// The platform is of one of these kinds (FMSPC).
    pub fmspcs: Vec<Fmspc>,
    /// The platform has one of these PPIDs: it is one of these processor packages.
    pub ppids: Vec<Ppid>,
    /// The platform has one of these platform instance ids, which only certificates of the PCK
    /// Platform CA state. An id changes when all keys of the platform do.
    pub instance_ids: Vec<PlatformInstanceId>,
}

impl PlatformPolicy {
    pub(super) fn rules(&self) -> impl Iterator<Item = (Step, Option<Rule<'_>>)> {
        let features: Rule<'_> = Box::new(|attested| self.check_features(attested));
        let rules = [
            (Step::PlatformFeatures, (!self.refused_features.is_empty()).then_some(features)),
            (Step::Fmspc, one_of("FMSPC", &self.fmspcs, |p| Some(Fmspc(p.fmspc)))),
            (Step::Ppid, one_of("PPID", &self.ppids, |p| Some(Ppid(p.ppid)))),
            (
                Step::PlatformInstanceId,
                one_of("platform instance id", &self.instance_ids, |p| {
                    p.platform_instance_id.map(PlatformInstanceId)
                }),
            ),
        ];
        rules.into_iter()
    }

    fn check_features(&self, Attested { platform, .. }: &Attested) -> Result<(), String> {
        for feature in &self.refused_features {
            match platform.features.state_of(*feature) {
                Some(false) => {}
                Some(true) => return Err(format!("the platform has {feature}, which is refused")),
                None => {
                    return Err(format!(
                        "the platform's certificate does not rule out {feature}, which is refused"
                    ));
                }
            }
        }
        Ok(())
    }
}

fn one_of<'a, T: PartialEq + Display>(
    name: &'static str,
    expected: &'a [T],
    field: fn(&AttestedPlatform) -> Option<T>,
) -> Option<Rule<'a>> {
    required(name, expected, move |attested| {
        let stated = field(&attested.platform);
        stated.ok_or_else(|| format!("the platform's certificate has no {name}"))
    })
}
