//! The options for the source of quotes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aesm::{Client, Request};
use anyhow::anyhow;
use clap::Args;
use quoting::{
    AesmQuoter, DEFAULT_SOCKET, Platform, Quoter, QuotingMode, default_state_dir, open_in_process,
};

use crate::failure::explain;
use crate::values::OneOf;

const QUOTE_HELPER_SOCKET: &str = "QUOTE_HELPER_SOCKET";

/// The timeout for a service that is being restarted.
const RESTART_TIMEOUT: Duration = Duration::from_secs(1);

/// The timeout of the probe for another service.
const PROBE_TIMEOUT: Duration = Duration::from_millis(200);

/// The socket of the quote service.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ServiceSocket {
    /// The socket of the quote service [default: that of SGX_AESM_ADDR if it is an absolute path,
    /// else /var/run/aesmd/aesm.socket] [env: QUOTE_HELPER_SOCKET].
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
}

impl ServiceSocket {
    /// True if the command line or the variable names it.
    pub(crate) fn is_named(&self) -> bool {
        self.named().is_some()
    }

    /// The path: that of --socket, of QUOTE_HELPER_SOCKET, or of SGX_AESM_ADDR; else the default
    /// one.
    ///
    /// # Errors
    /// When SGX_AESM_ADDR applies and has no usable value.
    pub(crate) fn path(&self) -> anyhow::Result<PathBuf> {
        if let Some(path) = self.named() {
            return Ok(path);
        }
        Ok(match QuotingMode::of_process()? {
            QuotingMode::OutOfProcess(path) => path,
            QuotingMode::InProcess => DEFAULT_SOCKET.into(),
        })
    }

    fn named(&self) -> Option<PathBuf> {
        let variable = || std::env::var_os(QUOTE_HELPER_SOCKET).filter(|path| !path.is_empty());
        self.socket.clone().or_else(|| variable().map(PathBuf::from))
    }
}

/// The quote service, or this process.
#[derive(Debug, Args)]
pub(crate) struct QuoteSource {
    #[command(flatten)]
    service: ServiceSocket,

    /// Makes quotes in this process instead of the service, as applications do without
    /// SGX_AESM_ADDR.
    #[arg(long, conflicts_with = "socket")]
    in_process: bool,

    /// The platform for quotes in this process: Intel's QE and PCE (`dcap`), or the insecure
    /// software platform (`software`) [default: dcap] [env: QUOTE_HELPER_PLATFORM]. Implies
    /// --in-process.
    #[arg(
        long,
        value_parser = OneOf::<Platform>::of(["dcap", "software"]),
        conflicts_with = "socket"
    )]
    platform: Option<Platform>,

    /// The directory of the software platform, for quotes in this process [default:
    /// /var/lib/quote-helper for root and its owner, else
    /// $XDG_STATE_HOME/quote-helper]
    /// [env: QUOTE_HELPER_STATE_DIR]. Implies --in-process.
    #[arg(long, value_name = "PATH", conflicts_with = "socket")]
    state_dir: Option<PathBuf>,
}

impl QuoteSource {
    /// Calls `quote` with the Quoter. An error gets a hint if another service is running.
    pub(crate) fn with_quoter<T>(
        &self,
        quote: impl FnOnce(&dyn Quoter) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        if self.is_in_process() {
            let result = self.open().and_then(|quoter| quote(&*quoter));
            return result.map_err(|error| with_default_service_hint(error, None));
        }
        let socket = self.service.path()?;
        let quoter =
            AesmQuoter::new(&socket, Client::DEFAULT_TIMEOUT).reconnect_timeout(RESTART_TIMEOUT);
        quote(&quoter).map_err(|error| with_default_service_hint(error, Some(&socket)))
    }

    fn is_in_process(&self) -> bool {
        self.in_process || self.platform.is_some() || self.state_dir.is_some()
    }

    fn open(&self) -> anyhow::Result<Box<dyn Quoter>> {
        let platform = self.platform.map_or_else(Platform::of_process, Ok)?;
        let state_dir = self.state_dir.clone().map_or_else(default_state_dir, Ok)?;
        Ok(open_in_process(platform, &state_dir)?)
    }
}

/// The error, with a hint if a service at the default socket was not asked.
pub(crate) fn with_default_service_hint(
    error: anyhow::Error,
    asked: Option<&Path>,
) -> anyhow::Error {
    match default_service_hint(asked) {
        Some(hint) => anyhow!("{}. {hint}", explain(&error)),
        None => error,
    }
}

/// A hint that a service answers at the default socket, unless that is the one asked.
pub(crate) fn default_service_hint(asked: Option<&Path>) -> Option<String> {
    let default = Path::new(DEFAULT_SOCKET);
    let is_same = asked.is_some_and(|asked| asked == default || is_same_file(asked, default));
    let client = Client::new(default).timeout(PROBE_TIMEOUT);
    if is_same || client.call(&Request::GetSupportedAttKeyIdNum).is_err() {
        return None;
    }
    Some(format!(
        "A quote service answers at {DEFAULT_SOCKET}, which was not asked; --socket {DEFAULT_SOCKET} \
         asks it"
    ))
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    let canonical = |path: &Path| path.canonicalize().ok();
    canonical(one).is_some_and(|one| Some(one) == canonical(other))
}
