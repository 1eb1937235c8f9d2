//! `serve`: serves quotes to the applications of this machine.

mod source;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use collateral::SoftwareCollateral;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use service::{BoundSocket, WorkerQuoter};
use time::OffsetDateTime;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};

use crate::failure::Failure;
use crate::listen::listen;
use crate::logging::{self, LogFormat};
use crate::runtime::runtime;
use crate::settings::{Settings, default_socket};
use crate::stop::Stop;
use source::Source;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The configuration file [default: /etc/quote-helper/config.toml if it is there].
    #[arg(long, value_name = "PATH", env = "QUOTE_HELPER_CONFIG")]
    config: Option<PathBuf>,

    #[command(flatten)]
    settings: Settings,
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let settings = arguments.settings.complete(arguments.config.as_deref())?;
    logging::start(settings.log_format.unwrap_or(LogFormat::Text));
    let runtime = runtime()?;
    Ok(runtime.block_on(serve(&settings))?)
}

async fn serve(settings: &Settings) -> anyhow::Result<()> {
    let stop = Stop::on_signals()?;
    let socket = settings.socket.clone().map_or_else(default_socket, Ok)?;
    raise_descriptor_limit();
    let Source { quoter, workers, platform, metrics } = Source::open(settings).await?;
    if let Some(address) = settings.collateral_listen {
        let platform = platform.context(
            "--collateral-listen serves the software platform's collateral; that of real SGX comes \
             from Intel's PCS or a PCCS",
        )?;
        let collateral = SoftwareCollateral::new(platform, OffsetDateTime::now_utc);
        let listener = listen(address, "collateral").await?;
        let router = collateral::router(Arc::new(collateral));
        tokio::spawn(http_server::serve(listener, router, stop.stopped()));
    }
    if let Some(address) = settings.metrics_listen {
        let listener = listen(address, "metrics").await?;
        tokio::spawn(http_server::serve(listener, metrics.router(), stop.stopped()));
    }
    on_hangup(workers)?;
    let (bound, listener) = BoundSocket::listen(&socket)?;
    info!(socket = %socket.display(), "serving quotes");
    let stopped = stop.stopped();
    let stop = async move {
        stopped.await;
        // From now on new clients find nobody here, or whoever has taken the path.
        drop(bound);
    };
    service::serve(listener, quoter, settings.limits(), metrics, stop).await?;
    info!("stopped");
    Ok(())
}

/// SIGHUP says that libraries have been updated: the workers, if there are any, are replaced.
fn on_hangup(workers: Option<Arc<WorkerQuoter>>) -> std::io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            if let Some(workers) = &workers {
                info!("replacing the workers");
                workers.replace();
            }
        }
    });
    Ok(())
}

/// As many connections as the system allows: the usual soft limit is for programs that use select().
fn raise_descriptor_limit() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        warn!(%error, "cannot raise the limit of open files; fewer clients can connect at once");
    }
}
