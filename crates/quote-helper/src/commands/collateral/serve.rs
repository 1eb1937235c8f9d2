//! `collateral serve`: a caching server, a drop-in replacement for a PCCS.

mod reload;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, ValueEnum};
use collateral::settings::Settings;
use collateral_server::{Mode, Options, Server, ServingCertificate};
use quoting::default_state_dir;
use tokio::task::spawn_blocking;
use tracing::{info, warn};

use crate::check_config;
use crate::failure::Failure;
use crate::listen::listen;
use crate::runtime::runtime;
use crate::server_process::{LogFormat, ServerProcess, WritablePaths};
use crate::service_manager::ServiceManager;
use crate::shutdown::Shutdown;
use crate::sources::Sources;
use crate::watchdog;
use reload::{Reload, TokenFiles};

/// The directory of the cache, below the state directory.
const CACHE: &str = "cache";

/// The status for the service manager once the server is ready.
const SERVING: &str = "serving collateral";

/// Interval of the checks for a replaced TLS certificate.
const CERTIFICATE_CHECK_INTERVAL: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Address to serve PCK certificates and collateral at.
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        default_value = "[::]:8081",
        env = "QUOTE_HELPER_LISTEN"
    )]
    listen: SocketAddr,

    /// Address to serve /metrics, /livez and /readyz at, over HTTP [default: none].
    #[arg(long, value_name = "ADDRESS:PORT", env = "QUOTE_HELPER_METRICS_LISTEN")]
    metrics_listen: Option<SocketAddr>,

    /// Time at which the server fetches from its sources.
    #[arg(long, value_enum, default_value = "lazy", env = "QUOTE_HELPER_COLLATERAL_MODE")]
    mode: ModeArgument,

    /// State directory for platforms, certificates and collateral [default: `collateral` below
    /// /var/lib/quote-helper for root and its owner, else below $XDG_STATE_HOME/quote-helper].
    #[arg(long, value_name = "PATH", env = "QUOTE_HELPER_COLLATERAL_STATE_DIR")]
    state_dir: Option<PathBuf>,

    /// File with the SHA-512 of the token for registration in hexadecimal, as in UserTokenHash of a
    /// PCCS [default: nobody may register].
    #[arg(long, value_name = "FILE", env = "QUOTE_HELPER_USER_TOKEN_FILE")]
    user_token_file: Option<PathBuf>,

    /// File with the SHA-512 of the token for administration in hexadecimal, as in AdminTokenHash
    /// of a PCCS [default: nobody may administer].
    #[arg(long, value_name = "FILE", env = "QUOTE_HELPER_ADMIN_TOKEN_FILE")]
    admin_token_file: Option<PathBuf>,

    /// TLS certificate with its chain, PEM. A changed file is reloaded [default: HTTP without TLS].
    #[arg(long, value_name = "FILE", requires = "tls_key", env = "QUOTE_HELPER_TLS_CERTIFICATE")]
    tls_certificate: Option<PathBuf>,

    /// Private key of the certificate, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_certificate", env = "QUOTE_HELPER_TLS_KEY")]
    tls_key: Option<PathBuf>,

    #[command(flatten)]
    sources: Sources,

    /// Checks the configuration, the variables, the TLS certificate and the tokens, and exits.
    #[arg(long)]
    check_config: bool,

    /// Format of the log on standard error. QUOTE_HELPER_LOG sets the level, for instance `debug`.
    #[arg(long, value_enum, default_value = "text", env = "QUOTE_HELPER_LOG_FORMAT")]
    log_format: LogFormat,
}

/// The modes of a PCCS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ModeArgument {
    /// Fetches on request.
    Lazy,
    /// Fetches when a platform registers, and refreshes what it has.
    Req,
    /// Fetches nothing: platforms register, and an administrator uploads their certificates.
    Offline,
}

impl From<ModeArgument> for Mode {
    fn from(mode: ModeArgument) -> Self {
        match mode {
            ModeArgument::Lazy => Self::Lazy,
            ModeArgument::Req => Self::Req,
            ModeArgument::Offline => Self::Offline,
        }
    }
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let state_dir = match &arguments.state_dir {
        Some(state_dir) => state_dir.clone(),
        None => default_state_dir()?.join("collateral"),
    };
    if arguments.check_config {
        let config = arguments.sources.config();
        return check_config::report(config, check(&arguments, &state_dir));
    }
    let writable = || writable_paths(&state_dir).map(Some);
    let _process = ServerProcess::start(arguments.log_format, writable)?;
    let runtime = runtime()?;
    let served = runtime.block_on(serve(arguments, &state_dir));
    // Requests to sources in progress are abandoned.
    runtime.shutdown_background();
    Ok(served?)
}

fn writable_paths(state_dir: &Path) -> anyhow::Result<WritablePaths> {
    let mut writable = WritablePaths::default();
    writable.add_private(state_dir)?;
    // It may be a symbolic link.
    writable.add_existing([state_dir.join(CACHE)]);
    Ok(writable)
}

async fn serve(arguments: Arguments, state_dir: &Path) -> anyhow::Result<()> {
    let shutdown = Shutdown::on_signals()?;
    let manager = ServiceManager::from_environment();
    watchdog::start(manager.clone())?;
    let certificate = certificate(&arguments)?;
    let cache = state_dir.join(CACHE);
    let settings = arguments.sources.settings(Some(cache.clone()))?;
    let tokens = token_files(&arguments);
    let server = Arc::new(open(&arguments, state_dir, settings.clone(), &tokens)?);
    let (router, metrics_router) = (server.router(), server.metrics_router());
    let (address, metrics_listen) = (arguments.listen, arguments.metrics_listen);
    let sources = arguments.sources;
    let served_certificate = certificate.clone();
    let reload = Arc::new(Reload { server, certificate, tokens, sources, cache, settings });
    let reloading = Arc::clone(&reload);
    crate::reload::on_hangup(manager.clone(), SERVING, move || {
        let reload = Arc::clone(&reloading);
        async move { spawn_blocking(move || reload.run()).await? }
    })?;
    if let Some(address) = metrics_listen {
        let listener = listen(address, "metrics").await?;
        tokio::spawn(http_server::serve(listener, metrics_router, shutdown.begun()));
    }
    let listener = listen(address, "collateral").await?;
    let refresher = reload.server.start_refreshing()?;
    tokio::spawn(announce_shutdown(shutdown.clone(), manager.clone()));
    manager.ready(SERVING);
    match served_certificate {
        Some(certificate) => {
            let config = Arc::new(certificate.config()?);
            tokio::spawn(reload_if_modified(certificate));
            http_server::serve_tls(listener, config, router, shutdown.begun()).await;
        }
        None => http_server::serve(listener, router, shutdown.begun()).await,
    }
    drop(refresher);
    info!("stopped");
    Ok(())
}

/// Reads all files that a start reads.
fn check(arguments: &Arguments, state_dir: &Path) -> [anyhow::Result<()>; 3] {
    let settings = arguments.sources.settings(Some(state_dir.join(CACHE)));
    [
        settings.map(drop).map_err(anyhow::Error::from),
        certificate(arguments).map(drop),
        token_files(arguments).read().map(drop),
    ]
}

async fn announce_shutdown(shutdown: Shutdown, manager: ServiceManager) {
    shutdown.begun().await;
    manager.stopping("the server is stopping");
}

fn certificate(arguments: &Arguments) -> anyhow::Result<Option<Arc<ServingCertificate>>> {
    let files = arguments.tls_certificate.as_deref().zip(arguments.tls_key.as_deref());
    Ok(files.map(|(certificate, key)| ServingCertificate::read(certificate, key)).transpose()?)
}

fn token_files(arguments: &Arguments) -> TokenFiles {
    let Arguments { user_token_file, admin_token_file, .. } = arguments;
    TokenFiles { user: user_token_file.clone(), admin: admin_token_file.clone() }
}

fn open(
    arguments: &Arguments,
    state_dir: &Path,
    settings: Settings,
    tokens: &TokenFiles,
) -> anyhow::Result<Server> {
    for line in settings.to_string().lines() {
        info!("{line}");
    }
    let tokens = tokens.read()?;
    if arguments.tls_certificate.is_none() && (tokens.user.is_some() || tokens.admin.is_some()) {
        warn!("tokens are sent in the clear without TLS; see --tls-certificate");
    }
    let mode = arguments.mode.into();
    let options = Options { mode, state_dir: state_dir.to_owned(), settings, tokens };
    Server::open(options).context("cannot serve collateral")
}

/// Reloads the certificate when its file changes.
async fn reload_if_modified(certificate: Arc<ServingCertificate>) {
    loop {
        tokio::time::sleep(CERTIFICATE_CHECK_INTERVAL).await;
        let reloading = Arc::clone(&certificate);
        match spawn_blocking(move || reloading.reload_if_modified()).await {
            Ok(Ok(true)) => info!("reloaded the TLS certificate"),
            Ok(Ok(false)) => {}
            Ok(Err(error)) => {
                warn!(%error, "cannot reload the TLS certificate; the old one stays in use");
            }
            Err(error) => warn!(%error, "cannot check the TLS certificate"),
        }
    }
}
