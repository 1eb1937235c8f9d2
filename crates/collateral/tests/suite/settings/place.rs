//! A machine for tests: a directory as /etc, and variables.

use std::path::{Path, PathBuf};

use collateral::PcsKind;
use collateral::settings::{
    Machine, PartialSettings, ServiceSettings, Settings, SettingsError, SourceSettings,
};
use tempfile::TempDir;

pub(crate) const AZURE: &str = "7783-7084-3265-9085-8269-3286-77\n";

pub(crate) struct Place {
    pub(crate) etc: TempDir,
    pub(crate) machine: Machine,
}

impl Place {
    /// A machine with no settings at all, somewhere else than in Azure.
    pub(crate) fn new() -> Self {
        let etc = tempfile::tempdir().unwrap();
        std::fs::create_dir(etc.path().join("quote-helper")).unwrap();
        let machine = Machine {
            variables: [("HOME".to_owned(), "/home/ada".into())].into(),
            ignores_environment: false,
            config_file: None,
            etc: etc.path().to_owned(),
            chassis_asset_tag: Some("Default string\n".to_owned()),
            uses_system_cache: false,
        };
        Self { etc, machine }
    }

    pub(crate) fn in_azure(mut self) -> Self {
        self.machine.chassis_asset_tag = Some(AZURE.to_owned());
        self
    }

    pub(crate) fn with(mut self, variable: &str, value: impl AsRef<Path>) -> Self {
        self.machine.variables.insert(variable.to_owned(), value.as_ref().into());
        self
    }

    pub(crate) fn with_file(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.path(name), text).unwrap();
        self
    }

    pub(crate) fn with_qcnl(self, text: impl AsRef<[u8]>) -> Self {
        self.with_file("sgx_default_qcnl.conf", text)
    }

    pub(crate) fn with_config(self, text: impl AsRef<[u8]>) -> Self {
        self.with_file("quote-helper/config.toml", text)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.etc.path().join(name)
    }

    pub(crate) fn choose(&self, flags: PartialSettings) -> Result<Settings, SettingsError> {
        Settings::choose(flags, &self.machine)
    }

    pub(crate) fn settings(&self) -> Settings {
        self.choose(PartialSettings::default()).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The error of wrong settings, without the directory.
    pub(crate) fn error(&self) -> String {
        self.said(&self.choose(PartialSettings::default()).unwrap_err().to_string())
    }

    /// The text without the directory.
    pub(crate) fn said(&self, text: &str) -> String {
        text.replace(self.etc.path().to_str().unwrap(), "/etc")
    }

    /// The notes without the directory.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.settings().notes.iter().map(|note| self.said(note)).collect()
    }
}

/// `kind url what`, of each source.
pub(crate) fn summary(settings: &Settings) -> Vec<String> {
    let of = |source: &SourceSettings| match source {
        SourceSettings::Service(ServiceSettings { kind, url, serves, .. }) => {
            format!("{kind:?} {url} {serves:?}")
        }
        SourceSettings::Directory(path) => format!("Directory {}", path.display()),
    };
    settings.sources.iter().map(of).collect()
}

pub(crate) fn service(settings: &Settings, index: usize) -> &ServiceSettings {
    match &settings.sources[index] {
        SourceSettings::Service(service) => service,
        SourceSettings::Directory(_) => panic!("a directory"),
    }
}

pub(crate) fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The kinds, for comparisons.
pub(crate) fn kinds(settings: &Settings) -> Vec<PcsKind> {
    (0..settings.sources.len()).map(|index| service(settings, index).kind).collect()
}
