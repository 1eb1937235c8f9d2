//! `collateral serve`: a server that caches what it has asked for, in the place of a PCCS.

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
use crate::sources::Sources;
use crate::stop::Stop;
use crate::watchdog;
use reload::{Reload, TokenFiles};

/// The directory of collateral, below that of the database.
const CACHE: &str = "cache";

/// The state of a server that is ready, for the service manager.
const SERVING: &str = "serving collateral";

/// How often it is looked whether the TLS certificate was replaced.
const LOOK_EVERY: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Serves PCK certificates and collateral here.
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        default_value = "[::]:8081",
        env = "QUOTE_HELPER_LISTEN"
    )]
    listen: SocketAddr,

    /// Serves /metrics, /livez and /readyz over HTTP here [default: nowhere].
    #[arg(long, value_name = "ADDRESS:PORT", env = "QUOTE_HELPER_METRICS_LISTEN")]
    metrics_listen: Option<SocketAddr>,

    /// How the server gets what it does not have.
    #[arg(long, value_enum, default_value = "lazy", env = "QUOTE_HELPER_COLLATERAL_MODE")]
    mode: ModeArgument,

    /// Where platforms, their certificates and collateral are kept [default: `collateral` below
    /// /var/lib/quote-helper for root and its owner, else below $XDG_STATE_HOME/quote-helper].
    #[arg(long, value_name = "PATH", env = "QUOTE_HELPER_COLLATERAL_STATE_DIR")]
    state_dir: Option<PathBuf>,

    /// The file with the SHA-512 of the token for registering platforms, in hexadecimal, as a PCCS has it in
    /// UserTokenHash [default: nobody may].
    #[arg(long, value_name = "FILE", env = "QUOTE_HELPER_USER_TOKEN_FILE")]
    user_token_file: Option<PathBuf>,

    /// The file with the SHA-512 of the token for administration, in hexadecimal, as a PCCS has it in
    /// AdminTokenHash [default: nobody may].
    #[arg(long, value_name = "FILE", env = "QUOTE_HELPER_ADMIN_TOKEN_FILE")]
    admin_token_file: Option<PathBuf>,

    /// PEM: the certificate for TLS, with its chain. When the file changes, the new one is shown [default: HTTP
    /// without TLS].
    #[arg(long, value_name = "FILE", requires = "tls_key", env = "QUOTE_HELPER_TLS_CERTIFICATE")]
    tls_certificate: Option<PathBuf>,

    /// PEM: the private key of the certificate.
    #[arg(long, value_name = "FILE", requires = "tls_certificate", env = "QUOTE_HELPER_TLS_KEY")]
    tls_key: Option<PathBuf>,

    #[command(flatten)]
    sources: Sources,

    /// Reads the configuration, the variables, the TLS certificate and the tokens, says whether
    /// they are good, and starts nothing.
    #[arg(long)]
    check_config: bool,

    /// The form of the log on standard error. QUOTE_HELPER_LOG says which messages are logged, for
    /// instance `debug`.
    #[arg(long, value_enum, default_value = "text", env = "QUOTE_HELPER_LOG_FORMAT")]
    log_format: LogFormat,
}

/// How a server gets what it does not have: the modes of a PCCS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ModeArgument {
    /// It asks its sources when it is asked itself.
    Lazy,
    /// It asks its sources when a platform registers, and refreshes what it has.
    Req,
    /// It asks nobody: platforms register, and an administrator brings their certificates.
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
    // Questions to sources that are under way are not waited for.
    runtime.shutdown_background();
    Ok(served?)
}

fn writable_paths(state_dir: &Path) -> anyhow::Result<WritablePaths> {
    let mut writable = WritablePaths::default();
    writable.add_private(state_dir)?;
    // It may be a symbolic link to a place elsewhere.
    writable.add_existing([state_dir.join(CACHE)]);
    Ok(writable)
}

async fn serve(arguments: Arguments, state_dir: &Path) -> anyhow::Result<()> {
    let stop = Stop::on_signals()?;
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
    let shown = certificate.clone();
    let reload = Arc::new(Reload { server, certificate, tokens, sources, cache, settings });
    let reloading = Arc::clone(&reload);
    crate::reload::on_hangup(manager.clone(), SERVING, move || {
        let reload = Arc::clone(&reloading);
        async move { spawn_blocking(move || reload.run()).await? }
    })?;
    if let Some(address) = metrics_listen {
        let listener = listen(address, "metrics").await?;
        tokio::spawn(http_server::serve(listener, metrics_router, stop.stopped()));
    }
    let listener = listen(address, "collateral").await?;
    let refresher = reload.server.start_refreshing()?;
    tokio::spawn(tell_the_end(stop.clone(), manager.clone()));
    manager.ready(SERVING);
    match shown {
        Some(certificate) => {
            let config = Arc::new(certificate.config()?);
            tokio::spawn(follow(certificate));
            http_server::serve_tls(listener, config, router, stop.stopped()).await;
        }
        None => http_server::serve(listener, router, stop.stopped()).await,
    }
    drop(refresher);
    info!("stopped");
    Ok(())
}

/// Reads all that a start would read.
fn check(arguments: &Arguments, state_dir: &Path) -> [anyhow::Result<()>; 3] {
    let settings = arguments.sources.settings(Some(state_dir.join(CACHE)));
    [
        settings.map(drop).map_err(anyhow::Error::from),
        certificate(arguments).map(drop),
        token_files(arguments).read().map(drop),
    ]
}

async fn tell_the_end(stop: Stop, manager: ServiceManager) {
    stop.stopped().await;
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
        warn!("there is no TLS, so whoever can listen in learns the tokens; see --tls-certificate");
    }
    let mode = arguments.mode.into();
    let options = Options { mode, state_dir: state_dir.to_owned(), settings, tokens };
    Server::open(options).context("cannot begin to serve collateral")
}

/// Shows the certificate that is in the file, whichever it is.
async fn follow(certificate: Arc<ServingCertificate>) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let reloading = Arc::clone(&certificate);
        match spawn_blocking(move || reloading.reload_if_modified()).await {
            Ok(Ok(true)) => info!("the TLS certificate was replaced"),
            Ok(Ok(false)) => {}
            Ok(Err(error)) => warn!(%error, "the TLS certificate stays the old one"),
            Err(error) => warn!(%error, "the TLS certificate could not be looked at"),
        }
    }
}
