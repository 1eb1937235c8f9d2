//! `serve`: serves quotes to the applications of this machine.

mod fresh_collateral;
mod software;
mod source;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use collateral_server::SoftwareCollateral;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use service::{BoundSocket, WorkerQuoter};
use time::OffsetDateTime;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};

use crate::failure::{Failure, explain};
use crate::listen::listen;
use crate::logging::{self, LogFormat};
use crate::runtime::runtime;
use crate::settings::{Settings, default_socket};
use crate::stop::Stop;
use software::Software;
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
    Ok(runtime.block_on(serve(&settings, arguments.config.as_deref()))?)
}

async fn serve(settings: &Settings, config: Option<&Path>) -> anyhow::Result<()> {
    let stop = Stop::on_signals()?;
    let socket = settings.socket.clone().map_or_else(default_socket, Ok)?;
    raise_descriptor_limit();
    let Source { quoter, workers, software, metrics } = Source::open(settings).await?;
    let collateral = serve_collateral(settings, software.as_ref(), &stop).await?;
    if let Some(address) = settings.metrics_listen {
        let listener = listen(address, "metrics").await?;
        tokio::spawn(http_server::serve(listener, metrics.router(), stop.stopped()));
    }
    match software {
        Some(software) => drop(tokio::spawn(software.follow_tcb(workers.clone(), collateral))),
        None => keep_collateral_fresh(config),
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

/// Serves the software platform's collateral, if that is asked for.
async fn serve_collateral(
    settings: &Settings,
    software: Option<&Software>,
    stop: &Stop,
) -> anyhow::Result<Option<Arc<SoftwareCollateral>>> {
    let Some(address) = settings.collateral_listen else { return Ok(None) };
    let software = software.context(
        "--collateral-listen serves the software platform's collateral; that of real SGX comes from \
         Intel's PCS or a PCCS",
    )?;
    let platform = Arc::clone(&software.platform);
    let source = Arc::new(SoftwareCollateral::new(platform, OffsetDateTime::now_utc));
    let listener = listen(address, "collateral").await?;
    let router = collateral_server::router(Arc::clone(&source) as Arc<dyn collateral::Source>);
    tokio::spawn(http_server::serve(listener, router, stop.stopped()));
    Ok(Some(source))
}

/// Without this, quotes go on with what Intel's library finds by itself.
fn keep_collateral_fresh(config: Option<&Path>) {
    if let Err(error) = fresh_collateral::keep_fresh(config) {
        warn!(error = %explain(&error), "collateral is not kept fresh");
    }
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
