//! The configuration of a platform that its PCK certificate states.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use sgx::{Describe, Description};

/// The configuration of a platform in its PCK certificate; `None` if not stated, as in certificates
/// of the PCK Processor CA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlatformFeatures {
    /// True if processor packages can be added.
    pub dynamic_platform: Option<bool>,
    /// True if Intel's registration service has the platform's root keys.
    pub cached_keys: Option<bool>,
    /// True if simultaneous multithreading (hyper-threading) is on.
    pub smt: Option<bool>,
}

/// One of [`PlatformFeatures`]. In text `dynamic-platform`, `cached-keys` or `smt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlatformFeature {
    /// Processor packages can be added.
    DynamicPlatform,
    /// Intel's registration service has the platform's root keys.
    CachedKeys,
    /// Simultaneous multithreading (hyper-threading) is on.
    Smt,
}

/// An unknown platform feature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown platform feature \"{0}\"; expected dynamic-platform, cached-keys or smt")]
pub struct UnknownPlatformFeature(String);

impl PlatformFeatures {
    pub(crate) fn state_of(&self, feature: PlatformFeature) -> Option<bool> {
        match feature {
            PlatformFeature::DynamicPlatform => self.dynamic_platform,
            PlatformFeature::CachedKeys => self.cached_keys,
            PlatformFeature::Smt => self.smt,
        }
    }
}

impl Describe for PlatformFeatures {
    fn describe(&self) -> Description {
        Description::default()
            .text("dynamic platform", stated(self.dynamic_platform))
            .text("cached keys", stated(self.cached_keys))
            .text("SMT", stated(self.smt))
    }
}

fn stated(feature: Option<bool>) -> &'static str {
    match feature {
        Some(true) => "yes",
        Some(false) => "no",
        None => "not stated",
    }
}

impl PlatformFeature {
    /// Every feature.
    pub const ALL: [Self; 3] = [Self::DynamicPlatform, Self::CachedKeys, Self::Smt];

    /// The name in text.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DynamicPlatform => "dynamic-platform",
            Self::CachedKeys => "cached-keys",
            Self::Smt => "smt",
        }
    }
}

impl fmt::Display for PlatformFeature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for PlatformFeature {
    type Err = UnknownPlatformFeature;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|feature| feature.name() == name)
            .ok_or_else(|| UnknownPlatformFeature(name.to_owned()))
    }
}
