//! The TDX modules in TCB info.

use std::cmp::Reverse;
use std::time::SystemTime;

use serde::Deserialize;
use sgx::Measurement;

use super::CollateralError;
use super::published_level::{OF_COMPONENTS, PublishedLevel};
use crate::TcbStatus;

const WHAT: &str = "the TCB info";

/// The TDX modules in TCB info.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TdxModules {
    /// The module of version 0.
    pub(crate) base: TdxModule,
    /// Those of other versions.
    pub(crate) identities: Vec<TdxModuleIdentity>,
}

/// The signer and the attributes of a module.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TdxModule {
    #[serde(rename = "mrsigner", deserialize_with = "measurement")]
    pub(crate) mr_signer: Measurement,
    #[serde(with = "hex")]
    pub(crate) attributes: [u8; 8],
}

/// The module of one version, and its TCB levels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TdxModuleIdentity {
    /// Such as `TDX_01`; the version is in hexadecimal.
    pub(crate) id: String,
    pub(crate) module: TdxModule,
    /// The highest first.
    pub(crate) tcb_levels: Vec<TdxModuleTcbLevel>,
}

/// The TCB level of a module at this security version or above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TdxModuleTcbLevel {
    pub(crate) isv_svn: u8,
    pub(crate) date: SystemTime,
    pub(crate) status: TcbStatus,
    pub(crate) advisory_ids: Vec<String>,
}

/// The JSON of a module identity.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PublishedIdentity {
    id: String,
    #[serde(flatten)]
    module: TdxModule,
    tcb_levels: Vec<PublishedLevel<PublishedSvn>>,
}

#[derive(Deserialize)]
struct PublishedSvn {
    isvsvn: u8,
}

impl TryFrom<PublishedIdentity> for TdxModuleIdentity {
    type Error = CollateralError;

    fn try_from(identity: PublishedIdentity) -> Result<Self, CollateralError> {
        let levels = identity.tcb_levels.into_iter().map(TdxModuleTcbLevel::try_from);
        let mut tcb_levels: Vec<_> = levels.collect::<Result<_, _>>()?;
        tcb_levels.sort_by_key(|level| Reverse(level.isv_svn));
        Ok(Self { id: identity.id, module: identity.module, tcb_levels })
    }
}

impl TryFrom<PublishedLevel<PublishedSvn>> for TdxModuleTcbLevel {
    type Error = CollateralError;

    fn try_from(level: PublishedLevel<PublishedSvn>) -> Result<Self, CollateralError> {
        Ok(Self {
            isv_svn: level.svns.isvsvn,
            date: level.date(WHAT)?,
            status: level.status(WHAT, &OF_COMPONENTS)?,
            advisory_ids: level.advisory_ids,
        })
    }
}

fn measurement<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Measurement, D::Error> {
    hex::deserialize(deserializer).map(Measurement)
}
