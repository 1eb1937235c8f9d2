//! Settings in three layers: flags, variables, and a section of the configuration.

mod file;
mod source_spec;
mod variables;

use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use serde::{Deserialize, Deserializer};

pub use self::source_spec::SourceSpec;
use super::{
    ConfigProblem, ConfigText, Form, Machine, Origin, Place, SettingsError, SourceSettings,
    TrustSettings, parse,
};
use crate::TcbUpdate;

/// The settings of one layer, or of several merged ones: those of the section `[collateral]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartialSettings {
    /// The sources, in the order in which they are asked.
    pub sources: Option<Vec<SourceSpec>>,
    /// Uses the cache only, and asks no source.
    pub local_only: Option<bool>,
    /// PEM: the certificates that are trusted instead of the system's: servers' own, and CAs'.
    pub ca_file: Option<PathBuf>,
    /// Leaves servers' certificates unchecked. Not with [`ca_file`](Self::ca_file).
    pub insecure_tls: Option<bool>,
    /// The file with the API key for Intel's PCS.
    pub api_key_file: Option<PathBuf>,
    /// The directory of the cache.
    pub cache_dir: Option<PathBuf>,
    /// The maximum size of the cache.
    #[serde(default, deserialize_with = "size")]
    pub cache_max_size: Option<ByteSize>,
    /// The age from which an item counts as expired, even if it is valid.
    #[serde(default, deserialize_with = "age")]
    pub cache_max_age: Option<Duration>,
    /// The timeout of a request, up to 10 minutes.
    #[serde(default, deserialize_with = "timeout")]
    pub timeout: Option<Duration>,
    /// The number of retries of failed sources, up to 100.
    #[serde(default, deserialize_with = "retries")]
    pub retries: Option<u32>,
    /// The TCB update to request: `standard`, `early`, or the number of one.
    #[serde(default, deserialize_with = "evaluation")]
    pub evaluation: Option<TcbUpdate>,
    /// PEM: the root to trust instead of Intel's.
    pub trusted_root: Option<PathBuf>,
}

/// The merged settings of all layers.
pub(super) struct LayeredSettings {
    /// Each from the first layer that has it.
    pub(super) settings: PartialSettings,
    /// The layer that names the sources, or disables them; `None` if none does.
    pub(super) origin: Option<Origin>,
    /// The trusted TLS certificates of all services.
    pub(super) trust: Option<TrustSettings>,
}

impl LayeredSettings {
    /// Flags, then variables, then the configuration.
    pub(super) fn gather(flags: PartialSettings, machine: &Machine) -> Result<Self, SettingsError> {
        let mut own = Self { settings: PartialSettings::default(), origin: None, trust: None };
        own.add(flags, &Layer::Flags)?;
        own.add(variables::read(machine)?, &Layer::Variables)?;
        if let Some((path, settings)) = file::read(machine)? {
            own.add(settings, &Layer::File(path))?;
        }
        Ok(own)
    }

    /// The sources, unless they are disabled or not set.
    pub(super) fn sources(&self) -> Vec<SourceSettings> {
        match &self.settings.sources {
            Some(sources) if self.settings.local_only != Some(true) => {
                sources.iter().map(|source| source.settings(self.trust.as_ref())).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Adds the settings of a lower layer.
    fn add(&mut self, settings: PartialSettings, layer: &Layer) -> Result<(), SettingsError> {
        let trust = TrustSettings::of(settings.ca_file.clone(), settings.insecure_tls)
            .map_err(|problem| SettingsError::wrong(layer.place("CA_FILE"), &problem))?;
        self.trust = self.trust.take().or(trust);
        let had_sources = self.settings.sources.is_some();
        let was_local = self.settings.local_only == Some(true);
        self.settings = std::mem::take(&mut self.settings).or(settings);
        if self.settings.local_only == Some(true) && !was_local {
            self.origin = Some(layer.origin("LOCAL_ONLY"));
        } else if self.settings.sources.is_some() && !had_sources && !was_local {
            self.origin = Some(layer.origin("SOURCES"));
        }
        Ok(())
    }
}

/// A layer.
enum Layer {
    Flags,
    Variables,
    File(PathBuf),
}

impl Layer {
    fn origin(&self, setting: &str) -> Origin {
        match self {
            Self::Flags => Origin::Flags,
            Self::Variables => Origin::Variables(vec![variables::name(setting)]),
            Self::File(path) => Origin::File(path.clone()),
        }
    }

    fn place(&self, setting: &str) -> Place {
        match self {
            Self::Flags => Place::Flags,
            Self::Variables => Place::Variable(variables::name(setting)),
            Self::File(path) => Place::File { path: path.clone(), line: None },
        }
    }
}

impl PartialSettings {
    /// The settings of the section `[collateral]`, and the forms of their values.
    pub const FORMS: &[Form] = &[
        ("sources", r#"sources in brackets, such as ["https://pccs.example:8081", "pcs"]"#),
        ("local_only", "true or false, without quotes"),
        ("ca_file", r#"the path of a file in quotes, such as "/etc/ssl/pccs.pem""#),
        ("insecure_tls", "true or false, without quotes"),
        ("api_key_file", r#"the path of a file in quotes, such as "/etc/quote-helper/api-key""#),
        ("cache_dir", r#"the path of a directory in quotes, such as "/var/cache/collateral""#),
        ("cache_max_size", r#"a size in quotes, such as "64MiB""#),
        ("cache_max_age", r#"a time in quotes, such as "12h""#),
        ("timeout", r#"a time in quotes from 1ms to 10m, such as "10s""#),
        ("retries", "a whole number from 0 to 100, without quotes"),
        ("evaluation", r#""standard", "early", or the number of a TCB evaluation in quotes"#),
        ("trusted_root", r#"the path of a file in quotes, such as "/etc/quote-helper/root.pem""#),
    ];

    /// The problems of the section `[collateral]` of a configuration. Settings of `elsewhere`
    /// belong in another place, which it names.
    #[must_use]
    pub fn problems(config: &ConfigText<'_>, elsewhere: (&str, &[Form])) -> Vec<ConfigProblem> {
        config.problems::<Self>(Some(super::SECTION), Self::FORMS, elsewhere)
    }

    /// These settings, and those of `other` where these are none.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            sources: self.sources.or(other.sources),
            local_only: self.local_only.or(other.local_only),
            ca_file: self.ca_file.or(other.ca_file),
            insecure_tls: self.insecure_tls.or(other.insecure_tls),
            api_key_file: self.api_key_file.or(other.api_key_file),
            cache_dir: self.cache_dir.or(other.cache_dir),
            cache_max_size: self.cache_max_size.or(other.cache_max_size),
            cache_max_age: self.cache_max_age.or(other.cache_max_age),
            timeout: self.timeout.or(other.timeout),
            retries: self.retries.or(other.retries),
            evaluation: self.evaluation.or(other.evaluation),
            trusted_root: self.trusted_root.or(other.trusted_root),
        }
    }
}

impl TrustSettings {
    /// The combination of two settings.
    fn of(ca_file: Option<PathBuf>, insecure_tls: Option<bool>) -> Result<Option<Self>, String> {
        match (ca_file, insecure_tls) {
            (Some(_), Some(true)) => {
                Err("insecure_tls disables the check of certificates for which ca_file is; \
                 leave one of them out"
                    .to_owned())
            }
            (Some(path), _) => Ok(Some(Self::CaFile(path))),
            (None, Some(true)) => Ok(Some(Self::Unchecked)),
            (None, Some(false)) => Ok(Some(Self::System)),
            (None, None) => Ok(None),
        }
    }
}

/// Deserializes text with a parser.
fn parsed<'de, T, D: Deserializer<'de>>(
    deserializer: D,
    parse: fn(&str) -> Result<T, String>,
) -> Result<Option<T>, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).map(Some).map_err(serde::de::Error::custom)
}

fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ByteSize>, D::Error> {
    parsed(deserializer, parse::size)
}

fn age<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    parsed(deserializer, parse::age)
}

fn timeout<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    parsed(deserializer, parse::timeout)
}

fn evaluation<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<TcbUpdate>, D::Error> {
    parsed(deserializer, parse::evaluation)
}

fn retries<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let number = u32::deserialize(deserializer)?;
    parse::retries(&number.to_string()).map(Some).map_err(serde::de::Error::custom)
}
