//! The settings of the service: flags, then `QUOTE_HELPER_*` variables, then the configuration file,
//! then defaults.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::num::{NonZero, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use serde::{Deserialize, Deserializer};
use service::Limits;

use crate::logging::LogFormat;

/// Where the configuration is, if nobody says otherwise. It may be missing.
const DEFAULT_CONFIG: &str = "/etc/quote-helper/config.toml";

/// Where quotes come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Platform {
    /// What the machine has.
    Auto,
    /// The software platform: insecure, for trying, developing and tests.
    Software,
}

/// How a quote leads the verifier to the platform's PCK certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CertificationData {
    /// The quote carries the certificates (type 5).
    PckCertificateChain,
    /// The quote carries the encrypted PPID, with which the verifier asks a PCCS (type 3).
    EncryptedPpid,
}

/// Everything that can be set, in the command line and in the configuration file alike.
#[derive(Debug, Default, Args, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Where quotes come from [default: auto].
    #[arg(long, value_enum, env = "QUOTE_HELPER_PLATFORM")]
    pub(crate) platform: Option<Platform>,

    /// The socket that applications connect to [default: /var/run/aesmd/aesm.socket for root, else
    /// $XDG_RUNTIME_DIR/aesmd/aesm.socket].
    #[arg(long, value_name = "PATH", env = "QUOTE_HELPER_SOCKET")]
    pub(crate) socket: Option<PathBuf>,

    /// Where the platform's keys are kept [default: /var/lib/quote-helper for root, else
    /// $XDG_STATE_HOME/quote-helper].
    #[arg(long, value_name = "PATH", env = "QUOTE_HELPER_STATE_DIR")]
    pub(crate) state_dir: Option<PathBuf>,

    /// What quotes of the software platform carry as certification data [default:
    /// pck-certificate-chain].
    #[arg(long, value_enum, env = "QUOTE_HELPER_CERTIFICATION_DATA")]
    pub(crate) certification_data: Option<CertificationData>,

    /// Serves the software platform's collateral over HTTP here, as a PCCS does [default: nowhere].
    #[arg(long, value_name = "ADDRESS:PORT", env = "QUOTE_HELPER_COLLATERAL_LISTEN")]
    pub(crate) collateral_listen: Option<SocketAddr>,

    /// Serves metrics for Prometheus over HTTP here, at /metrics [default: nowhere].
    #[arg(long, value_name = "ADDRESS:PORT", env = "QUOTE_HELPER_METRICS_LISTEN")]
    pub(crate) metrics_listen: Option<SocketAddr>,

    /// The form of the log on standard error [default: text]. QUOTE_HELPER_LOG says which messages are
    /// logged, for instance `debug`.
    #[arg(long, value_enum, env = "QUOTE_HELPER_LOG_FORMAT")]
    pub(crate) log_format: Option<LogFormat>,

    /// Connections at once; further clients wait [default: 16384].
    #[arg(long, value_name = "NUMBER", env = "QUOTE_HELPER_MAX_CONNECTIONS")]
    pub(crate) max_connections: Option<NonZeroUsize>,

    /// Quotes that may wait for a thread; one more is answered with AESM_BUSY [default: 1024].
    #[arg(long, value_name = "NUMBER", env = "QUOTE_HELPER_MAX_QUEUED_QUOTES")]
    pub(crate) max_queued_quotes: Option<NonZeroUsize>,

    /// Threads that make quotes [default: one for each core].
    #[arg(long, value_name = "NUMBER", env = "QUOTE_HELPER_QUOTING_THREADS")]
    pub(crate) quoting_threads: Option<NonZeroUsize>,

    /// The time for a whole request, from its first byte [default: 5s].
    #[arg(long, value_name = "TIME", env = "QUOTE_HELPER_REQUEST_TIMEOUT", value_parser = humantime::parse_duration)]
    #[serde(default, deserialize_with = "duration")]
    pub(crate) request_timeout: Option<Duration>,

    /// The time for a quote, waiting included [default: 10s].
    #[arg(long, value_name = "TIME", env = "QUOTE_HELPER_QUOTE_TIMEOUT", value_parser = humantime::parse_duration)]
    #[serde(default, deserialize_with = "duration")]
    pub(crate) quote_timeout: Option<Duration>,

    /// The time for a client to take its reply [default: 5s].
    #[arg(long, value_name = "TIME", env = "QUOTE_HELPER_REPLY_TIMEOUT", value_parser = humantime::parse_duration)]
    #[serde(default, deserialize_with = "duration")]
    pub(crate) reply_timeout: Option<Duration>,

    /// The time that a connection may do nothing [default: 60s].
    #[arg(long, value_name = "TIME", env = "QUOTE_HELPER_IDLE_TIMEOUT", value_parser = humantime::parse_duration)]
    #[serde(default, deserialize_with = "duration")]
    pub(crate) idle_timeout: Option<Duration>,
}

impl Settings {
    /// These settings, completed from the configuration file: `config`, or the default one if it is
    /// there.
    pub(crate) fn complete(self, config: Option<&Path>) -> anyhow::Result<Self> {
        let path = config.unwrap_or(Path::new(DEFAULT_CONFIG));
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound && config.is_none() => {
                return Ok(self);
            }
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("cannot read the configuration {}", path.display()));
            }
        };
        let file = toml::from_str(&text)
            .with_context(|| format!("the configuration {} is wrong", path.display()))?;
        Ok(self.or(file))
    }

    fn or(self, other: Self) -> Self {
        Self {
            platform: self.platform.or(other.platform),
            socket: self.socket.or(other.socket),
            state_dir: self.state_dir.or(other.state_dir),
            certification_data: self.certification_data.or(other.certification_data),
            collateral_listen: self.collateral_listen.or(other.collateral_listen),
            metrics_listen: self.metrics_listen.or(other.metrics_listen),
            log_format: self.log_format.or(other.log_format),
            max_connections: self.max_connections.or(other.max_connections),
            max_queued_quotes: self.max_queued_quotes.or(other.max_queued_quotes),
            quoting_threads: self.quoting_threads.or(other.quoting_threads),
            request_timeout: self.request_timeout.or(other.request_timeout),
            quote_timeout: self.quote_timeout.or(other.quote_timeout),
            reply_timeout: self.reply_timeout.or(other.reply_timeout),
            idle_timeout: self.idle_timeout.or(other.idle_timeout),
        }
    }

    /// The limits of the service.
    pub(crate) fn limits(&self) -> Limits {
        let default = Limits::default();
        Limits {
            connections: self.max_connections.map_or(default.connections, NonZero::get),
            queued_quotes: self.max_queued_quotes.map_or(default.queued_quotes, NonZero::get),
            quoting_threads: self.quoting_threads.map_or(default.quoting_threads, NonZero::get),
            request_timeout: self.request_timeout.unwrap_or(default.request_timeout),
            quote_timeout: self.quote_timeout.unwrap_or(default.quote_timeout),
            reply_timeout: self.reply_timeout.unwrap_or(default.reply_timeout),
            idle_timeout: self.idle_timeout.unwrap_or(default.idle_timeout),
        }
    }
}

/// The socket of a service that this user starts.
pub(crate) fn default_socket() -> anyhow::Result<PathBuf> {
    if rustix::process::geteuid().is_root() {
        return Ok(quoting::DEFAULT_SOCKET.into());
    }
    match std::env::var_os("XDG_RUNTIME_DIR") {
        Some(directory) => Ok(Path::new(&directory).join("aesmd/aesm.socket")),
        None => {
            bail!("without root and XDG_RUNTIME_DIR there is no place for a socket; pass --socket")
        }
    }
}

/// The state directory of this user.
pub(crate) fn default_state_dir() -> anyhow::Result<PathBuf> {
    if rustix::process::geteuid().is_root() {
        return Ok("/var/lib/quote-helper".into());
    }
    if let Some(directory) = std::env::var_os("XDG_STATE_HOME") {
        return Ok(Path::new(&directory).join("quote-helper"));
    }
    match std::env::var_os("HOME") {
        Some(home) => Ok(Path::new(&home).join(".local/state/quote-helper")),
        None => bail!(
            "without root, XDG_STATE_HOME and HOME there is no place for state; pass --state-dir"
        ),
    }
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map(Some).map_err(serde::de::Error::custom)
}
