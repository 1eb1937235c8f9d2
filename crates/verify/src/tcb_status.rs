//! TCB status, the names of the PCS API v4.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How current the platform's security versions are, in the words of Intel's TCB info.
///
/// In JSON and in text a status is its official name, such as `UpToDate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum TcbStatus {
    /// Nothing is known to be missing.
    UpToDate,
    /// The platform is current, and the enclave's own code has to work around a weakness.
    SWHardeningNeeded,
    /// The platform is current, and its configuration (for instance hyper-threading) leaves a
    /// weakness open.
    ConfigurationNeeded,
    /// Both of the above.
    ConfigurationAndSWHardeningNeeded,
    /// Microcode, firmware or Intel's enclaves lack a security update.
    OutOfDate,
    /// They lack an update, and the configuration leaves a weakness open.
    OutOfDateConfigurationNeeded,
    /// The platform's keys are no longer trustworthy. No policy can accept this.
    Revoked,
    /// Of a TD alone: it was launched when an update was missing, which the platform has by now.
    #[serde(skip_deserializing)]
    TDRelaunchAdvised,
    /// The same, and the configuration leaves a weakness open.
    #[serde(skip_deserializing)]
    TDRelaunchAdvisedConfigurationNeeded,
}

/// A name that is no TCB status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no TCB status; use one of {all}", all = TcbStatus::list(&TcbStatus::ALL))]
pub struct UnknownTcbStatus(String);

impl TcbStatus {
    /// Every status.
    pub const ALL: [Self; 9] = [
        Self::UpToDate,
        Self::SWHardeningNeeded,
        Self::ConfigurationNeeded,
        Self::ConfigurationAndSWHardeningNeeded,
        Self::OutOfDate,
        Self::OutOfDateConfigurationNeeded,
        Self::Revoked,
        Self::TDRelaunchAdvised,
        Self::TDRelaunchAdvisedConfigurationNeeded,
    ];

    /// The statuses of TCB info, which a platform can have: all but those of a TD alone.
    pub fn published() -> impl Iterator<Item = Self> {
        let of_td = [Self::TDRelaunchAdvised, Self::TDRelaunchAdvisedConfigurationNeeded];
        Self::ALL.into_iter().filter(move |status| !of_td.contains(status))
    }

    /// The official name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::UpToDate => "UpToDate",
            Self::SWHardeningNeeded => "SWHardeningNeeded",
            Self::ConfigurationNeeded => "ConfigurationNeeded",
            Self::ConfigurationAndSWHardeningNeeded => "ConfigurationAndSWHardeningNeeded",
            Self::OutOfDate => "OutOfDate",
            Self::OutOfDateConfigurationNeeded => "OutOfDateConfigurationNeeded",
            Self::Revoked => "Revoked",
            Self::TDRelaunchAdvised => "TDRelaunchAdvised",
            Self::TDRelaunchAdvisedConfigurationNeeded => "TDRelaunchAdvisedConfigurationNeeded",
        }
    }

    /// A platform's status together with that of its Quoting Enclave or its TDX module, as Intel's
    /// verifier has it.
    pub(crate) fn with_component(self, component: Self) -> Self {
        match (component, self) {
            (Self::Revoked, _) => Self::Revoked,
            (Self::OutOfDate, Self::UpToDate | Self::SWHardeningNeeded) => Self::OutOfDate,
            (
                Self::OutOfDate,
                Self::ConfigurationNeeded | Self::ConfigurationAndSWHardeningNeeded,
            ) => Self::OutOfDateConfigurationNeeded,
            (_, platform) => platform,
        }
    }

    /// The status of a TD that was launched at this status on a platform that has another one now,
    /// as Intel's verifier has it.
    pub(crate) fn with_current(self, current: Self) -> Self {
        match (self, current) {
            (Self::OutOfDate, Self::UpToDate | Self::SWHardeningNeeded) => Self::TDRelaunchAdvised,
            (
                Self::OutOfDate | Self::OutOfDateConfigurationNeeded,
                Self::UpToDate
                | Self::SWHardeningNeeded
                | Self::ConfigurationNeeded
                | Self::ConfigurationAndSWHardeningNeeded,
            ) => Self::TDRelaunchAdvisedConfigurationNeeded,
            (launched, _) => launched,
        }
    }

    pub(crate) fn list(statuses: &[Self]) -> String {
        let names: Vec<String> = statuses.iter().map(ToString::to_string).collect();
        names.join(", ")
    }
}

impl fmt::Display for TcbStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for TcbStatus {
    type Err = UnknownTcbStatus;

    /// Reads the official name, in its exact spelling.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|status| status.name() == name)
            .ok_or_else(|| UnknownTcbStatus(name.to_owned()))
    }
}
