//! Where PCK certificates and collateral come from: what all commands about them can be told.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use collateral::settings::{Machine, OwnSettings, OwnSource, Settings, SettingsError};

/// Flags; what they leave out is in variables or in the section `[collateral]` of the configuration.
#[derive(Debug, Clone, Args)]
pub(super) struct Sources {
    /// The configuration file, with its section `[collateral]` [default: /etc/quote-helper/config.toml if it is
    /// there].
    #[arg(long, value_name = "PATH", env = "QUOTE_HELPER_CONFIG")]
    config: Option<PathBuf>,

    /// Whom to ask; again for whom to ask next: the URL of a PCCS, the absolute path of a directory, `pcs` (Intel's
    /// PCS), `thim` or `azure` (Azure's services) [default: what is set up for other quote providers, else `pcs`, and
    /// on Azure `thim` and `azure`].
    #[arg(long = "source", value_name = "SOURCE")]
    sources: Option<Vec<OwnSource>>,

    /// PEM: the certificates that are trusted instead of the system's: CAs that have issued the
    /// TLS certificates of sources, or these certificates themselves.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,

    /// Leaves the TLS certificates of sources unchecked. What they answer is checked all the same.
    #[arg(long, conflicts_with = "ca_file")]
    insecure_tls: bool,

    /// The file with the API key for Intel's PCS.
    #[arg(long, value_name = "FILE")]
    api_key_file: Option<PathBuf>,

    /// PEM: the root to trust instead of Intel's, for instance the software platform's.
    #[arg(long, value_name = "FILE")]
    trusted_root: Option<PathBuf>,

    /// The time for one question, all sources that are asked together [default: 10s].
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    timeout: Option<Duration>,
}

impl Sources {
    /// What holds, with a cache in this directory; `None`: where the other settings want it.
    pub(super) fn settings(self, cache_dir: Option<PathBuf>) -> Result<Settings, SettingsError> {
        let flags = OwnSettings {
            sources: self.sources,
            ca_file: self.ca_file,
            insecure_tls: self.insecure_tls.then_some(true),
            api_key_file: self.api_key_file,
            cache_dir,
            trusted_root: self.trusted_root,
            timeout: self.timeout,
            ..OwnSettings::default()
        };
        Settings::choose(flags, &Machine { config_file: self.config, ..Machine::this() })
    }
}
