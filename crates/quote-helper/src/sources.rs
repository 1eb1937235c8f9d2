//! The options for sources of PCK certificates and collateral.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use collateral::settings::{Machine, PartialSettings, Settings, SettingsError, SourceSpec};
use private_directory::quoted;
use verify::TrustedRoots;

use crate::files;
use crate::values;

/// The options; defaults are in variables `QUOTE_HELPER_COLLATERAL_*` and the section
/// `[collateral]` of the configuration.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Sources {
    /// The configuration file, with its section `[collateral]` [default:
    /// /etc/quote-helper/config.toml if it is there].
    #[arg(long, value_name = "PATH", env = "QUOTE_HELPER_CONFIG")]
    config: Option<PathBuf>,

    /// A source: the URL of a PCCS, the absolute path of a directory, `pcs` (Intel's PCS), `thim`
    /// or `azure` (Azure's services); repeat the option for fallbacks [default: the sources in the
    /// settings of other quote providers, else `pcs`, and on Azure `thim` and `azure`] [env:
    /// QUOTE_HELPER_COLLATERAL_SOURCES].
    #[arg(long = "source", alias = "pccs", value_name = "SOURCE")]
    sources: Option<Vec<SourceSpec>>,

    /// PEM: certificates to trust for TLS instead of the system's: CAs, or the certificates of
    /// sources themselves [env: QUOTE_HELPER_COLLATERAL_CA_FILE].
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,

    /// Does not check the TLS certificates of sources; responses are still checked [env:
    /// QUOTE_HELPER_COLLATERAL_INSECURE_TLS].
    #[arg(long, conflicts_with = "ca_file")]
    insecure_tls: bool,

    /// The file with the API key for Intel's PCS [env: QUOTE_HELPER_COLLATERAL_API_KEY_FILE].
    #[arg(long, value_name = "FILE")]
    api_key_file: Option<PathBuf>,

    /// Trusts this root certificate, PEM or DER, instead of Intel's, for instance the software
    /// platform's [env: QUOTE_HELPER_COLLATERAL_TRUSTED_ROOT].
    #[arg(long, value_name = "FILE")]
    trusted_root: Option<PathBuf>,

    /// Timeout of a request, over all sources [default: 10s] [env:
    /// QUOTE_HELPER_COLLATERAL_TIMEOUT].
    #[arg(long, value_name = "TIME", value_parser = values::nonzero_duration)]
    timeout: Option<Duration>,
}

impl Sources {
    /// The settings, with a cache in this directory; `None` for the directory of the settings.
    pub(crate) fn settings(&self, cache_dir: Option<PathBuf>) -> Result<Settings, SettingsError> {
        let flags = PartialSettings {
            sources: self.sources.clone(),
            ca_file: self.ca_file.clone(),
            insecure_tls: self.insecure_tls.then_some(true),
            api_key_file: self.api_key_file.clone(),
            cache_dir,
            trusted_root: self.trusted_root.clone(),
            timeout: self.timeout,
            ..PartialSettings::default()
        };
        Settings::choose(flags, &self.machine())
    }

    /// The options on the command line and their values, quoted for a shell.
    pub(crate) fn given_options(&self) -> Vec<(&'static str, String)> {
        let Self { config, sources, ca_file, api_key_file, trusted_root, .. } = self;
        let file = |option, file: &Option<PathBuf>| Some((option, quoted(file.as_deref()?)));
        let sources = sources.iter().flatten();
        let sources = sources.map(|source| ("--source", quoted(Path::new(&source.to_string()))));
        let files = [
            file("--config", config),
            file("--ca-file", ca_file),
            file("--api-key-file", api_key_file),
            file("--trusted-root", trusted_root),
        ];
        sources.chain(files.into_iter().flatten()).collect()
    }

    /// The configuration file of the command line, if any.
    pub(crate) fn config(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    /// True if the command line names a source.
    pub(crate) fn are_named(&self) -> bool {
        self.sources.is_some()
    }

    /// True if the command line names the root to trust.
    pub(crate) fn have_trusted_root(&self) -> bool {
        self.trusted_root.is_some()
    }

    /// The trusted root of the option, the variable or the configuration; else Intel's.
    pub(crate) fn trusted_roots(&self) -> anyhow::Result<TrustedRoots> {
        let flags = PartialSettings {
            trusted_root: self.trusted_root.clone(),
            ..PartialSettings::default()
        };
        let Some(path) = Settings::choose_trusted_root(flags, &self.machine())? else {
            return Ok(TrustedRoots::intel());
        };
        TrustedRoots::parse(&files::read(&path)?)
            .with_context(|| format!("cannot trust {}", files::Input(&path)))
    }

    fn machine(&self) -> Machine {
        Machine { config_file: self.config.clone(), ..Machine::this() }
    }
}
