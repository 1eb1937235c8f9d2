//! TCB status, with the names of the PCS API v4.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! statuses {
    ($($(#[$attributes:meta])* $variant:ident;)+) => {
        /// A status of Intel's TCB info. In JSON and in text it is the official name, such as
        /// `UpToDate`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub enum TcbStatus {
            $($(#[$attributes])* $variant,)+
        }

        impl TcbStatus {
            /// Every status.
            pub const ALL: [Self; 9] = [$(Self::$variant),+];

            /// The official name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($variant),)+
                }
            }
        }
    };
}

statuses! {
    /// No update is missing.
    UpToDate;
    /// No update is missing; the enclave's own code must mitigate a weakness.
    SWHardeningNeeded;
    /// No update is missing; the configuration (such as hyper-threading) leaves a weakness.
    ConfigurationNeeded;
    /// Both of the above.
    ConfigurationAndSWHardeningNeeded;
    /// Microcode, firmware or Intel's enclaves lack a security update.
    OutOfDate;
    /// An update is missing, and the configuration leaves a weakness.
    OutOfDateConfigurationNeeded;
    /// The keys of the platform are not trustworthy. No policy can accept this.
    Revoked;
    /// Of TDs only: the platform got a missing update after the launch of the TD.
    #[serde(skip_deserializing)]
    TDRelaunchAdvised;
    /// The same, and the configuration leaves a weakness.
    #[serde(skip_deserializing)]
    TDRelaunchAdvisedConfigurationNeeded;
}

/// An unknown TCB status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown TCB status \"{0}\"; expected one of {all}",
    all = TcbStatus::list(&TcbStatus::ALL)
)]
pub struct UnknownTcbStatus(String);

impl TcbStatus {
    /// The statuses of TCB info, which a platform can have: all but those of TDs only.
    pub fn published() -> impl Iterator<Item = Self> {
        let of_td = [Self::TDRelaunchAdvised, Self::TDRelaunchAdvisedConfigurationNeeded];
        Self::ALL.into_iter().filter(move |status| !of_td.contains(status))
    }

    /// Combines a platform's status with that of its Quoting Enclave or TDX module, as Intel's
    /// verifier does.
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

    /// Combines the status of a TD at its launch with the current one of its platform, as Intel's
    /// verifier does.
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
