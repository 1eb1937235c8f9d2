//! The settings of the cluster's PCCS.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::named::by_name;

/// A PCCS in the cluster: `quote-helper collateral serve`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClusterPccs {
    /// The caching mode.
    pub mode: PccsMode,
    /// The sources in order, as of `collateral serve --source`. The default is the collateral of
    /// the software platform, else that of `collateral serve`.
    pub sources: Vec<String>,
    /// The size of its volume, such as `1Gi`. Without one its data is lost with the pod.
    pub storage: Option<String>,
    /// The Secret with the API key and the hashes of the tokens.
    pub secret: Option<PccsSecret>,
}

/// The caching mode of a PCCS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PccsMode {
    /// Fetches on demand.
    #[default]
    Lazy,
    /// Fetches when a platform registers, and refreshes.
    Req,
    /// Never fetches: an administrator imports everything.
    Offline,
}

/// A Secret in the add-on's namespace, created and filled by others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PccsSecret {
    /// Its name.
    pub name: String,
    /// The keys in use; all must exist.
    pub keys: BTreeSet<PccsSecretKey>,
}

/// A key of the Secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PccsSecretKey {
    /// The API key for Intel's PCS.
    ApiKey,
    /// The SHA-512, in hexadecimal, of the token for registering platforms.
    UserTokenHash,
    /// The SHA-512, in hexadecimal, of the token for administration.
    AdminTokenHash,
}

impl PccsMode {
    /// All values.
    pub const ALL: [Self; 3] = [Self::Lazy, Self::Req, Self::Offline];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lazy => "lazy",
            Self::Req => "req",
            Self::Offline => "offline",
        }
    }
}

impl PccsSecretKey {
    /// All values.
    pub const ALL: [Self; 3] = [Self::ApiKey, Self::UserTokenHash, Self::AdminTokenHash];

    /// The name in the Secret.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ApiKey => "api-key",
            Self::UserTokenHash => "user-token-hash",
            Self::AdminTokenHash => "admin-token-hash",
        }
    }
}

by_name!(PccsMode, PccsSecretKey);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_in_the_command_line_and_in_the_settings() {
        for mode in PccsMode::ALL {
            assert_eq!(mode.to_string().parse(), Ok(mode));
            assert_eq!(serde_json::to_value(mode).unwrap(), mode.name());
        }
        for key in PccsSecretKey::ALL {
            assert_eq!(key.name().parse(), Ok(key));
            assert_eq!(serde_json::to_value(key).unwrap(), key.name());
        }
        let error = "eager".parse::<PccsMode>().unwrap_err();
        assert_eq!(error.to_string(), "unknown name \"eager\"; expected one of lazy, req, offline");
    }
}
