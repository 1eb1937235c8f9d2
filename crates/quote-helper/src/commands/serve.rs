//! `serve`: serves quotes to the applications of this machine.

mod descriptors;
mod fresh_collateral;
mod health;
mod http;
mod intel_caches;
mod limit_metrics;
mod listening;
mod node_metrics;
mod node_processes;
mod private_service;
mod quote_backend;
mod refusal;
mod reload;
mod sgx_device;
mod shutdown;
mod socket_group;
mod software;
mod validation;
mod worker_settings;
mod writable_paths;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use parking_lot::Mutex;
use service::{Metrics, WorkerQuoter};
use sockets::{Activation, ListeningSocket};
use tokio::sync::watch;
use tracing::warn;

use self::shutdown::{OwnedSockets, SERVING, Serving};
use crate::check_config;
use crate::failure::{Failure, explain};
use crate::listen::Listeners;
use crate::runtime::runtime;
use crate::server_process::{LogFormat, ServerProcess};
use crate::service_manager::ServiceManager;
use crate::settings::Settings;
use crate::shutdown::Shutdown;
use crate::watchdog;
use limit_metrics::LimitMetrics;
use node_metrics::NodeMetrics;
use quote_backend::QuoteBackend;
use refusal::refuse;
use reload::Reload;
use sgx_device::LateDevice;
use software::Software;
use validation::Validation;
use writable_paths::writable_paths;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The configuration file [default: /etc/quote-helper/config.toml if it is there].
    #[arg(long, value_name = "PATH", env = "QUOTE_HELPER_CONFIG")]
    config: Option<PathBuf>,

    /// Checks the configuration and the variables, reports all errors, and starts nothing.
    #[arg(long)]
    check_config: bool,

    #[command(flatten)]
    settings: Settings,
}

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

/// Starts the service, serves until the shutdown, and cleans up.
async fn serve(
    settings: &Settings,
    given: Settings,
    config: Option<&Path>,
    activation: Activation,
    process: &ServerProcess,
) -> anyhow::Result<()> {
    // The process can be stopped, and is watched.
    let shutdown = Shutdown::on_signals()?;
    let manager = ServiceManager::from_environment();
    watchdog::start(manager.clone())?;

    // Quotes can be made, and clients can connect.
    let access = socket_group::access(settings.socket_group.as_deref())?;
    let limits = descriptors::limits(settings);
    let backend = QuoteBackend::open(settings).await?;
    let ListeningSocket { listener, path, http, predecessor, source } =
        listening::open(settings, access, activation).await?;
    let validation = Validation::new(settings, backend.proof()?)?;
    if let Some(predecessor) = predecessor
        && let Err(reason) = validation.of_instance(&backend).await
    {
        if !settings.take_over() {
            // The predecessor continues at once.
            drop((listener, http, source));
            return Err(refuse(predecessor, &reason, settings, &shutdown).await);
        }
        warn!(reason = %explain(&reason), "taking over all the same, as configured");
    }
    let mut listeners = Listeners::inherited(http, predecessor);
    let health = http::serve(settings, &backend, &mut listeners, &shutdown).await?;

    // Tasks follow the machine, and the configuration.
    let QuoteBackend { quoter, workers, worker_settings, software, metrics } = backend;
    let late_device = LateDevice::watch(settings.platform(), &shutdown);
    process.log.show(&metrics);
    let shown_limits = LimitMetrics::new(&limits, &metrics);
    follow_platform(software, workers.clone(), config, &metrics);
    let (rules, current_rules) = watch::channel(reload::rules(settings, limits));
    let reload = Reload {
        given,
        config: config.map(Path::to_owned),
        started: settings.clone(),
        last: Mutex::new(settings.clone()),
        rules,
        limits: shown_limits,
        workers: workers.zip(worker_settings),
        validation,
    };
    reload.on_hangup(manager.clone(), SERVING)?;

    // Clients are served until the end.
    let sockets =
        OwnedSockets { source, listener: listener.try_clone()?, http: listeners.for_successor() };
    let after_hand_over = settings.after_hand_over();
    let serving = Serving { health, manager, shutdown, socket: path, after_hand_over };
    let (until_end, cleanup) = serving.split(sockets, &metrics);
    service::serve(listener, quoter, current_rules, metrics, until_end).await?;
    cleanup.finish().await?;
    late_device.check()
}

/// Follows the TCB of the software platform, or keeps the collateral of real SGX fresh, and shows
/// both among the metrics.
fn follow_platform(
    software: Option<Software>,
    workers: Option<Arc<WorkerQuoter>>,
    config: Option<&Path>,
    metrics: &Metrics,
) {
    let node = NodeMetrics::new(metrics);
    match software {
        Some(software) => {
            tokio::spawn(node.follow(software.platform(), Arc::clone(&software.collateral)));
            tokio::spawn(software.follow_tcb(workers));
        }
        // Without this, quotes use the collateral that Intel's library fetches by itself.
        None => {
            if let Err(error) = fresh_collateral::keep_fresh(config, node) {
                warn!(error = %explain(&error), "collateral is not refreshed");
            }
        }
    }
}

/// Reads everything that a start reads.
fn check(given: Settings, config: Option<&Path>) -> Vec<anyhow::Result<()>> {
    match given.complete(config) {
        Err(error) => vec![Err(error)],
        Ok(settings) => vec![
            socket_group::access(settings.socket_group.as_deref()).map(drop),
            http::check(&settings),
            fresh_collateral::settings(config).map(drop),
        ],
    }
}
