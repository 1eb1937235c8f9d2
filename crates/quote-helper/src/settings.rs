//! The settings of the service: flags, then `QUOTE_HELPER_*` variables, the configuration file, and
//! defaults.

mod file;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::num::{NonZero, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use collateral::settings::PartialSettings;
use humantime::parse_duration;
use quoting::Platform;
use serde::{Deserialize, Deserializer};
use service::{Limits, Policy};
use sgx::{MrEnclave, MrSigner};
use software_platform::CertificationKind;

pub(crate) use self::file::WrongConfig;
use crate::listen::ListenAddress;
use crate::server_process::LogFormat;
use crate::values::OneOf;

pub(crate) const DEFAULT_CONFIG: &str = "/etc/quote-helper/config.toml";

const MAX_CONFIG: u64 = 64 * 1024;

/// The default timeout of a worker, short enough that another one can still make the quote.
const WORKER_TIMEOUT: Duration = Duration::from_secs(3);

const FEWEST_WORKERS: NonZeroUsize = NonZeroUsize::new(2).expect("2 is not 0");
const MOST_WORKERS: NonZeroUsize = NonZeroUsize::new(4).expect("4 is not 0");

/// The behaviour of a process that has handed its sockets over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AfterHandOver {
    /// It exits once it has finished the requests that it accepted.
    Exit,
    /// It waits for SIGTERM.
    Wait,
}

/// The certification data of a quote, which leads the verifier to the platform's PCK certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CertificationData {
    /// The quote carries the certificates (type 5).
    PckCertificateChain,
    /// The quote carries the encrypted PPID, with which the verifier asks a PCCS (type 3).
    EncryptedPpid,
}

impl CertificationData {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::PckCertificateChain => "pck-certificate-chain",
            Self::EncryptedPpid => "encrypted-ppid",
        }
    }
}

impl From<CertificationData> for CertificationKind {
    fn from(data: CertificationData) -> Self {
        match data {
            CertificationData::PckCertificateChain => Self::PckCertificateChain,
            CertificationData::EncryptedPpid => Self::EncryptedPpid,
        }
    }
}

/// Passes the names of all settings to a macro. A setting that is missing here does not compile.
macro_rules! every_setting {
    ($with:ident) => {
        $with! {
            platform, dcap_library, socket, take_over, after_hand_over, socket_group, state_dir,
            certification_data, collateral_listen, metrics_listen, log_format, max_connections,
            max_connections_per_caller, workers, isolate, worker_timeout, max_queued_quotes,
            max_queued_quotes_per_caller, request_timeout, quote_timeout, reply_timeout,
            idle_timeout, sandbox, writable_paths, allowed_uids, allowed_mrsigners,
            allowed_mrenclaves, refuse_debug, collateral
        }
    };
}

#[cfg(test)]
use every_setting;

/// All settings, of the command line and the configuration file alike.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The quote backend: Intel's QE and PCE (`dcap`), or the software platform, which is insecure
    /// and for evaluation, development and tests (`software`). There is no fallback between them
    /// [default: dcap].
    #[arg(long, env = "QUOTE_HELPER_PLATFORM")]
    #[arg(value_parser = OneOf::<Platform>::of(["dcap", "software"]))]
    #[serde(default, deserialize_with = "platform")]
    pub(crate) platform: Option<Platform>,

    /// Intel's quote generation library, by name or by path [default: libsgx_qe3_logic.so.1].
    #[arg(long, value_name = "LIBRARY", env = "QUOTE_HELPER_DCAP_LIBRARY")]
    pub(crate) dcap_library: Option<PathBuf>,

    /// The socket that applications connect to [default: /var/run/aesmd/aesm.socket for root, else
    /// $XDG_RUNTIME_DIR/aesmd/aesm.socket].
    #[arg(long, value_name = "PATH", env = "QUOTE_HELPER_SOCKET")]
    pub(crate) socket: Option<PathBuf>,

    /// Replaces the socket of a running service that does not hand it over [default: false].
    #[arg(long, value_name = "BOOL", env = "QUOTE_HELPER_TAKE_OVER")]
    #[arg(num_args = 0..=1, default_missing_value = "true")]
    pub(crate) take_over: Option<bool>,

    /// Exits once a new instance has taken the socket over, or waits for SIGTERM, for supervisors
    /// that restart every process that exits [default: exit].
    #[arg(long, value_enum, env = "QUOTE_HELPER_AFTER_HAND_OVER")]
    pub(crate) after_hand_over: Option<AfterHandOver>,

    /// Lets only members of this group connect, by name or number [default: everybody].
    #[arg(long, value_name = "GROUP", env = "QUOTE_HELPER_SOCKET_GROUP")]
    pub(crate) socket_group: Option<String>,

    /// The directory of the platform's keys, and of the secret by which a new instance proves that
    /// it may take over [default: /var/lib/quote-helper for root and its owner, else
    /// $XDG_STATE_HOME/quote-helper].
    #[arg(long, value_name = "PATH", env = "QUOTE_HELPER_STATE_DIR")]
    pub(crate) state_dir: Option<PathBuf>,

    /// Certification data in quotes of the software platform [default: pck-certificate-chain].
    #[arg(long, value_enum, env = "QUOTE_HELPER_CERTIFICATION_DATA")]
    pub(crate) certification_data: Option<CertificationData>,

    /// Serves the software platform's collateral over HTTP, as a PCCS does [default: off].
    #[arg(long, value_name = "ADDRESS:PORT", env = "QUOTE_HELPER_COLLATERAL_LISTEN")]
    pub(crate) collateral_listen: Option<SocketAddr>,

    /// Serves Prometheus metrics at /metrics, and health at /livez and /readyz, over HTTP at this
    /// address or Unix socket [default: off].
    #[arg(long, value_name = "ADDRESS:PORT|PATH", env = "QUOTE_HELPER_METRICS_LISTEN")]
    pub(crate) metrics_listen: Option<ListenAddress>,

    /// Log format on standard error [default: text]. QUOTE_HELPER_LOG sets the level, for instance
    /// `debug`.
    #[arg(long, value_enum, env = "QUOTE_HELPER_LOG_FORMAT")]
    pub(crate) log_format: Option<LogFormat>,

    /// Maximum connections; beyond it, the caller with the most loses its longest idle one
    /// [default: 32768, or the number that the limit of open files allows].
    #[arg(long, value_name = "NUMBER", env = "QUOTE_HELPER_MAX_CONNECTIONS")]
    pub(crate) max_connections: Option<NonZeroUsize>,

    /// Maximum connections per caller: a pod, a container, or a user with all sessions and
    /// subordinate uids; further ones get AESM_BUSY [default: half of max-connections].
    #[arg(long, value_name = "NUMBER", env = "QUOTE_HELPER_MAX_CONNECTIONS_PER_CALLER")]
    pub(crate) max_connections_per_caller: Option<NonZeroUsize>,

    /// Number of worker processes, if quotes are made in workers
    /// [default: one per core, from 2 to 4].
    #[arg(long, value_name = "NUMBER", env = "QUOTE_HELPER_WORKERS")]
    pub(crate) workers: Option<NonZeroUsize>,

    /// Makes the software platform's quotes in workers as well [default: false].
    #[arg(long, value_name = "BOOL", env = "QUOTE_HELPER_ISOLATE")]
    #[arg(num_args = 0..=1, default_missing_value = "true")]
    pub(crate) isolate: Option<bool>,

    /// Timeout of a worker for a quote, after which the worker is replaced [default: 3s].
    #[arg(long, value_name = "TIME", env = "QUOTE_HELPER_WORKER_TIMEOUT")]
    #[arg(value_parser = parse_duration)]
    #[serde(default, deserialize_with = "duration")]
    pub(crate) worker_timeout: Option<Duration>,

    /// Maximum queued quotes; beyond it, one of the caller with the most gets AESM_BUSY [default:
    /// 1024, at most half of max-connections].
    #[arg(long, value_name = "NUMBER", env = "QUOTE_HELPER_MAX_QUEUED_QUOTES")]
    pub(crate) max_queued_quotes: Option<NonZeroUsize>,

    /// Maximum queued quotes per caller; further ones get AESM_BUSY [default: half of
    /// max-queued-quotes].
    #[arg(long, value_name = "NUMBER", env = "QUOTE_HELPER_MAX_QUEUED_QUOTES_PER_CALLER")]
    pub(crate) max_queued_quotes_per_caller: Option<NonZeroUsize>,

    /// Timeout of a request, from its first byte to its last [default: 5s].
    #[arg(long, value_name = "TIME", env = "QUOTE_HELPER_REQUEST_TIMEOUT")]
    #[arg(value_parser = parse_duration)]
    #[serde(default, deserialize_with = "duration")]
    pub(crate) request_timeout: Option<Duration>,

    /// Timeout of a quote, including its time in the queue [default: 10s].
    #[arg(long, value_name = "TIME", env = "QUOTE_HELPER_QUOTE_TIMEOUT")]
    #[arg(value_parser = parse_duration)]
    #[serde(default, deserialize_with = "duration")]
    pub(crate) quote_timeout: Option<Duration>,

    /// Timeout of a client that does not read its reply [default: 5s].
    #[arg(long, value_name = "TIME", env = "QUOTE_HELPER_REPLY_TIMEOUT")]
    #[arg(value_parser = parse_duration)]
    #[serde(default, deserialize_with = "duration")]
    pub(crate) reply_timeout: Option<Duration>,

    /// Idle timeout of a connection [default: 60s].
    #[arg(long, value_name = "TIME", env = "QUOTE_HELPER_IDLE_TIMEOUT")]
    #[arg(value_parser = parse_duration)]
    #[serde(default, deserialize_with = "duration")]
    pub(crate) idle_timeout: Option<Duration>,

    /// Confines the service and its workers with Landlock to the files that they must write
    /// [default: true].
    #[arg(long, value_name = "BOOL", env = "QUOTE_HELPER_SANDBOX")]
    #[arg(num_args = 0..=1, default_missing_value = "true")]
    pub(crate) sandbox: Option<bool>,

    /// Further files and directories that are writable in the sandbox, for third-party quote
    /// providers [default: none].
    #[arg(long, value_name = "PATH", env = "QUOTE_HELPER_WRITABLE_PATHS", value_delimiter = ',')]
    pub(crate) writable_paths: Option<Vec<PathBuf>>,

    /// Users whose processes get quotes [default: all].
    #[arg(long, value_name = "UID", env = "QUOTE_HELPER_ALLOWED_UIDS", value_delimiter = ',')]
    pub(crate) allowed_uids: Option<Vec<u32>>,

    /// MRSIGNERs whose enclaves get quotes, in hexadecimal, besides --allowed-mrenclaves [default:
    /// all].
    #[arg(long, value_name = "MRSIGNER", env = "QUOTE_HELPER_ALLOWED_MRSIGNERS")]
    #[arg(value_delimiter = ',', value_parser = measurement::<MrSigner>)]
    #[serde(default, deserialize_with = "measurements")]
    pub(crate) allowed_mrsigners: Option<Vec<MrSigner>>,

    /// MRENCLAVEs that get quotes, in hexadecimal, besides --allowed-mrsigners [default: all].
    #[arg(long, value_name = "MRENCLAVE", env = "QUOTE_HELPER_ALLOWED_MRENCLAVES")]
    #[arg(value_delimiter = ',', value_parser = measurement::<MrEnclave>)]
    #[serde(default, deserialize_with = "measurements")]
    pub(crate) allowed_mrenclaves: Option<Vec<MrEnclave>>,

    /// Refuses quotes of debug enclaves, which keep no secrets [default: false].
    #[arg(long, value_name = "BOOL", env = "QUOTE_HELPER_REFUSE_DEBUG")]
    #[arg(num_args = 0..=1, default_missing_value = "true")]
    pub(crate) refuse_debug: Option<bool>,

    /// Sources for `collateral` and the quote provider library, which read this section themselves.
    #[arg(skip)]
    collateral: Option<PartialSettings>,
}

impl Settings {
    /// These settings, completed from the configuration file: `config`, or the default one if it is
    /// there.
    pub(crate) fn complete(self, config: Option<&Path>) -> anyhow::Result<Self> {
        let path = config.unwrap_or(Path::new(DEFAULT_CONFIG));
        let text = match untrusted_input::read(path, MAX_CONFIG) {
            Ok(bytes) => String::from_utf8(bytes)
                .with_context(|| format!("the configuration {} is not UTF-8", path.display()))?,
            Err(error) if error.kind() == ErrorKind::NotFound && config.is_none() => {
                return Ok(self);
            }
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("cannot read the configuration {}", path.display()));
            }
        };
        Ok(self.or(file::parse(path, &text)?))
    }

    fn or(self, other: Self) -> Self {
        macro_rules! either {
            ($($setting:ident),*) => {
                Self { $($setting: self.$setting.or(other.$setting)),* }
            };
        }
        every_setting!(either)
    }

    pub(crate) fn changes(&self, other: &Self) -> Vec<&'static str> {
        macro_rules! compare {
            ($($setting:ident),*) => {
                [$((stringify!($setting), self.$setting != other.$setting)),*]
            };
        }
        let compared = every_setting!(compare);
        compared.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
    }

    pub(crate) fn platform(&self) -> Platform {
        self.platform.unwrap_or_default()
    }

    pub(crate) fn sandbox(&self) -> bool {
        self.sandbox.unwrap_or(true)
    }

    pub(crate) fn take_over(&self) -> bool {
        self.take_over.unwrap_or(false)
    }

    pub(crate) fn after_hand_over(&self) -> AfterHandOver {
        self.after_hand_over.unwrap_or(AfterHandOver::Exit)
    }

    pub(crate) fn dcap_library(&self) -> PathBuf {
        self.dcap_library.clone().unwrap_or_else(|| quoting::DCAP_LIBRARY.into())
    }

    pub(crate) fn certification_data(&self) -> CertificationData {
        self.certification_data.unwrap_or(CertificationData::PckCertificateChain)
    }

    /// More than one worker, so that one can fail, and not many, since each holds enclaves.
    pub(crate) fn workers(&self) -> NonZeroUsize {
        self.workers.unwrap_or_else(|| {
            let cores = std::thread::available_parallelism();
            cores.unwrap_or(NonZeroUsize::MIN).clamp(FEWEST_WORKERS, MOST_WORKERS)
        })
    }

    pub(crate) fn worker_timeout(&self) -> Duration {
        self.worker_timeout.unwrap_or(WORKER_TIMEOUT)
    }

    pub(crate) fn policy(&self) -> Policy {
        Policy {
            allowed_uids: self.allowed_uids.clone(),
            allowed_mrsigners: self.allowed_mrsigners.clone(),
            allowed_mrenclaves: self.allowed_mrenclaves.clone(),
            refuse_debug: self.refuse_debug.unwrap_or(false),
        }
    }

    /// The limits of the service, with at most `room` connections.
    pub(crate) fn limits(&self, room: usize) -> Limits {
        let default = Limits::default();
        let part = |part: Option<NonZeroUsize>, all: usize| {
            part.map_or(all.div_ceil(2), NonZero::get).min(all)
        };
        let wanted = self.max_connections.map_or(default.connections, NonZero::get);
        let connections = wanted.min(room);
        // Each queued quote holds a connection, which cannot be closed meanwhile.
        let queued_quotes = default.queued_quotes.min(connections.div_ceil(2));
        let queued_quotes = self.max_queued_quotes.map_or(queued_quotes, NonZero::get);
        Limits {
            connections,
            connections_per_caller: part(self.max_connections_per_caller, connections),
            queued_quotes,
            queued_quotes_per_caller: part(self.max_queued_quotes_per_caller, queued_quotes),
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
            bail!("there is no default socket without root and XDG_RUNTIME_DIR; pass --socket")
        }
    }
}

fn platform<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Platform>, D::Error> {
    let name = String::deserialize(deserializer)?;
    name.parse().map(Some).map_err(serde::de::Error::custom)
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text).map(Some).map_err(serde::de::Error::custom)
}

fn measurement<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text:?} is not 64 hexadecimal digits"))
}

fn measurements<'de, D: Deserializer<'de>, T: FromStr>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let measurements = texts.iter().map(|text| measurement(text)).collect::<Result<_, _>>();
    measurements.map(Some).map_err(serde::de::Error::custom)
}
