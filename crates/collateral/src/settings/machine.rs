//! Inputs of the settings besides flags, as data, so that tests can have any machine.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use untrusted_input::environment;

use super::{Place, SettingsError};

/// The kernel's file with the asset tag of the chassis.
const CHASSIS_ASSET_TAG: &str = "/sys/class/dmi/id/chassis_asset_tag";
/// The asset tag of all virtual machines in Azure.
const AZURE_ASSET_TAG: &str = "7783-7084-3265-9085-8269-3286-77";

/// The variables that are read: those with these names, and those with [`PREFIXES`].
const NAMES: [&str; 3] = ["QCNL_CONF_PATH", "XDG_CACHE_HOME", "HOME"];
const PREFIXES: [&str; 2] = ["AZDCAP_", "QUOTE_HELPER_"];

/// The directory that systemd makes for the service's user (`CacheDirectory=`).
const SYSTEM_CACHES: &str = "/var/cache/quote-helper";

/// A machine, and the user that the program runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Environment variables. An empty one counts as missing.
    pub variables: BTreeMap<String, OsString>,
    /// Variables are ignored, since the program gained privileges at its start.
    pub ignores_environment: bool,
    /// The configuration file that a flag names. `None`: the one that `QUOTE_HELPER_CONFIG` names,
    /// or else `quote-helper/config.toml` below [`etc`](Self::etc), if it is there.
    pub config_file: Option<PathBuf>,
    /// The directory for configuration: `/etc`.
    pub etc: PathBuf,
    /// The asset tag of the chassis, by which virtual machines in Azure are known.
    pub chassis_asset_tag: Option<String>,
    /// True for root, and for a user to whom the directory for the caches of the machine's services
    /// is the user's.
    pub uses_system_cache: bool,
}

impl Machine {
    /// This machine.
    #[must_use]
    pub fn this() -> Self {
        let matters = |name: &str| {
            NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        };
        let variables = environment::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .filter(|(name, _)| matters(name));
        Self {
            variables: variables.collect(),
            ignores_environment: environment::is_ignored(),
            config_file: None,
            etc: "/etc".into(),
            chassis_asset_tag: fs::read_to_string(CHASSIS_ASSET_TAG).ok(),
            uses_system_cache: uses_system_cache(),
        }
    }

    /// Tells if it is a virtual machine in Azure.
    pub(super) fn is_in_azure(&self) -> bool {
        self.chassis_asset_tag.as_deref().is_some_and(|tag| tag.trim() == AZURE_ASSET_TAG)
    }

    /// The path in a variable.
    pub(super) fn path(&self, variable: &str) -> Option<&Path> {
        self.variables.get(variable).filter(|value| !value.is_empty()).map(Path::new)
    }

    /// The text in a variable, without space around it.
    pub(super) fn text(&self, variable: &str) -> Result<Option<&str>, SettingsError> {
        let Some(value) = self.variables.get(variable) else { return Ok(None) };
        let Some(text) = value.to_str() else {
            let place = Place::Variable(variable.to_owned());
            return Err(SettingsError::wrong(place, "it is no text in UTF-8"));
        };
        Ok(Some(text.trim()).filter(|text| !text.is_empty()))
    }

    /// The parsed text in a variable.
    pub(super) fn value<T>(
        &self,
        variable: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, SettingsError> {
        let value = self.text(variable)?.map(parse).transpose();
        value
            .map_err(|problem| SettingsError::wrong(Place::Variable(variable.to_owned()), &problem))
    }
}

fn uses_system_cache() -> bool {
    let user = rustix::process::geteuid();
    let owner = rustix::fs::stat(SYSTEM_CACHES).map(|directory| directory.st_uid);
    user.is_root() || owner == Ok(user.as_raw())
}
