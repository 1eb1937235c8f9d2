//! `serve`: serves quotes to the applications of this machine.

mod descriptors;
mod fresh_collateral;
mod health;
mod intel_caches;
mod limit_metrics;
mod listening;
mod metrics_route;
mod node_metrics;
mod node_processes;
mod reload;
mod sgx_device;
mod shutdown;
mod socket_group;
mod software;
mod source;
mod writable_paths;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use http_server::Index;
use parking_lot::Mutex;
use quoting::Platform;
use sockets::handover::HandoverCounters;
use sockets::{Activation, ListeningSocket};
use tokio::sync::watch;
use tracing::warn;

use crate::check_config;
use crate::failure::{Failure, explain};
use crate::listen::Listeners;
use crate::runtime::runtime;
use crate::server_process::{LogFormat, ServerProcess};
use crate::service_manager::ServiceManager;
use crate::settings::Settings;
use crate::stop::Stop;
use crate::watchdog;
use health::{Health, Proof};
use limit_metrics::LimitMetrics;
use metrics_route::metrics_route;
use node_metrics::NodeMetrics;
use reload::Reload;
use sgx_device::LateDevice;
use shutdown::{OwnedSockets, Serving};
use software::Software;
use source::Source;
use writable_paths::writable_paths;

/// `--collateral-listen` on real SGX.
const NO_COLLATERAL: &str = "--collateral-listen serves the software platform's collateral; that \
    of real SGX comes from Intel's PCS or a PCCS";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The configuration file [default: /etc/quote-helper/config.toml if it is there].
    #[arg(long, value_name = "PATH", env = "QUOTE_HELPER_CONFIG")]
    config: Option<PathBuf>,

    /// Reads the configuration and the variables, says whether they are good, and starts nothing.
    #[arg(long)]
    check_config: bool,

    #[command(flatten)]
    settings: Settings,
}

/// The page at `/` of metrics and health.
const INDEX: Index = Index::of_metrics("quote-helper serve: metrics and health");

/// The state of a service that is ready, for the service manager and the log.
const SERVING: &str = "serving quotes";

/// Runs the command.
pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let config = arguments.config.as_deref();
    let given = arguments.settings;
    if arguments.check_config {
        return check_config::report(config, check(given, config));
    }
    let settings = given.clone().complete(config)?;
    let format = settings.log_format.unwrap_or(LogFormat::Text);
    let process = ServerProcess::start(format, || writable_paths(&settings, config))?;
    if settings.sandbox() {
        node_processes::are_out_of_reach(process.sandbox.is_enforced())?;
    }
    let activation = Activation::from_environment()?;
    let runtime = runtime()?;
    Ok(runtime.block_on(serve(&settings, given, config, activation, &process))?)
}

async fn serve(
    settings: &Settings,
    given: Settings,
    config: Option<&Path>,
    activation: Activation,
    process: &ServerProcess,
) -> anyhow::Result<()> {
    let stop = Stop::on_signals()?;
    let manager = ServiceManager::from_environment();
    watchdog::start(manager.clone())?;
    let access = socket_group::access(settings.socket_group.as_deref())?;
    let limits = descriptors::limits(settings);
    let Source { quoter, workers, software, metrics } = Source::open(settings).await?;
    let ListeningSocket { listener, path, http, predecessor, source } =
        listening::open(settings, access, activation).await?;
    let mut listeners = Listeners::inherited(http, predecessor);
    serve_collateral(settings, software.as_ref(), &mut listeners, &stop).await?;
    let proof = software.as_ref().map_or(Ok(Proof::Answers), Software::proof)?;
    let health = Health::new(Arc::clone(&quoter), proof, &metrics);
    if let Some(address) = &settings.metrics_listen {
        let router = INDEX.on(metrics_route(metrics.clone()).merge(health.router()));
        address.serve("metrics", router, &mut listeners, stop.stopped()).await?;
    }
    let late_device = match settings.platform() {
        Platform::Dcap => LateDevice::watch(&stop),
        Platform::Software => LateDevice::default(),
    };
    process.log.show(&metrics);
    let shown_limits = LimitMetrics::new(&limits, &metrics);
    let node = NodeMetrics::new(&metrics);
    match software {
        Some(software) => {
            tokio::spawn(node.follow(software.platform(), Arc::clone(&software.collateral)));
            tokio::spawn(software.follow_tcb(workers.clone()));
        }
        None => keep_collateral_fresh(config, node),
    }
    let (rules, current) = watch::channel(reload::rules(settings, limits));
    let reload = Arc::new(Reload {
        given,
        config: config.map(Path::to_owned),
        started: settings.clone(),
        last: Mutex::new(settings.clone()),
        rules,
        limits: shown_limits,
        workers,
    });
    crate::reload::on_hangup(manager.clone(), SERVING, move || {
        let reload = Arc::clone(&reload);
        async move { reload.run().await }
    })?;
    let owned =
        OwnedSockets { source, listener: listener.try_clone()?, http: listeners.for_successor() };
    let after_hand_over = settings.after_hand_over();
    let serving = Serving { health, manager, stop, socket: path, after_hand_over };
    let counters = HandoverCounters::default();
    metrics.register(|registry| counters.register(registry));
    let (until_end, shutdown) = serving.split(owned, counters);
    service::serve(listener, quoter, current, metrics, until_end).await?;
    shutdown.finish().await?;
    late_device.check()
}

/// Reads all that a start would read.
fn check(given: Settings, config: Option<&Path>) -> Vec<anyhow::Result<()>> {
    let settings = match given.complete(config) {
        Ok(settings) => settings,
        Err(error) => return vec![Err(error)],
    };
    let group = socket_group::access(settings.socket_group.as_deref()).map(drop);
    let collateral = match (settings.collateral_listen, settings.platform()) {
        (Some(_), Platform::Dcap) => Err(anyhow::anyhow!(NO_COLLATERAL)),
        _ => Ok(()),
    };
    vec![group, collateral, fresh_collateral::settings(config).map(drop)]
}

/// Serves the software platform's collateral, if that is asked for.
async fn serve_collateral(
    settings: &Settings,
    software: Option<&Software>,
    listeners: &mut Listeners,
    stop: &Stop,
) -> anyhow::Result<()> {
    let Some(address) = settings.collateral_listen else { return Ok(()) };
    let software = software.context(NO_COLLATERAL)?;
    let listener = listeners.tcp(address, "collateral").await?;
    let router = collateral_server::software_pcs_router(Arc::clone(&software.collateral));
    tokio::spawn(http_server::serve(listener, router, stop.stopped()));
    Ok(())
}

/// Without this, quotes go on with what Intel's library finds by itself.
fn keep_collateral_fresh(config: Option<&Path>, node: NodeMetrics) {
    if let Err(error) = fresh_collateral::keep_fresh(config, node) {
        warn!(error = %explain(&error), "collateral is not kept fresh");
    }
}
