//! What can be chosen of the cluster's own PCCS.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A PCCS in the cluster: `quote-helper collateral serve`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClusterPccs {
    /// How it gets what it does not have.
    pub mode: PccsMode,
    /// Whom it asks, in this order, as `collateral serve --source` takes them. If there are none: with the software
    /// platform that one's collateral, else what `collateral serve` finds out by itself.
    pub sources: Vec<String>,
    /// The size of the volume that it keeps everything in, such as `1Gi`. Without one it keeps it as long as its pod
    /// is there.
    pub storage: Option<String>,
    /// Where the API key and the hashes of the tokens are.
    pub secret: Option<PccsSecret>,
}

/// How a PCCS gets what it does not have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PccsMode {
    /// It asks its sources when it is asked itself.
    #[default]
    Lazy,
    /// It asks its sources when a platform registers, and refreshes what it has.
    Req,
    /// It asks nobody: an administrator brings what there is to know.
    Offline,
}

/// A Secret in the namespace of the add-on, which others make and fill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PccsSecret {
    /// Its name.
    pub name: String,
    /// Those of its keys that are used. All of them have to be there.
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

/// Text that names no mode, or no key of the Secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is none of {names}")]
pub struct UnknownName {
    text: String,
    names: String,
}

impl PccsMode {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Lazy, Self::Req, Self::Offline];

    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lazy => "lazy",
            Self::Req => "req",
            Self::Offline => "offline",
        }
    }
}

impl fmt::Display for PccsMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for PccsMode {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        find(text, Self::ALL, Self::name)
    }
}

impl PccsSecretKey {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::ApiKey, Self::UserTokenHash, Self::AdminTokenHash];

    /// As it is in the Secret.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ApiKey => "api-key",
            Self::UserTokenHash => "user-token-hash",
            Self::AdminTokenHash => "admin-token-hash",
        }
    }
}

impl FromStr for PccsSecretKey {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        find(text, Self::ALL, Self::name)
    }
}

fn find<T: Copy>(text: &str, all: [T; 3], name: fn(T) -> &'static str) -> Result<T, UnknownName> {
    let unknown = || UnknownName { text: text.to_owned(), names: all.map(name).join(", ") };
    all.into_iter().find(|one| name(*one) == text).ok_or_else(unknown)
}

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
        assert_eq!(error.to_string(), "\"eager\" is none of lazy, req, offline");
    }
}
