//! The quote backend of the service: Intel's library in workers, or the software platform.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use quoting::{Platform, ServedQuoter, default_state_dir, find_library};
use service::{Metrics, WorkerOptions, WorkerQuoter};
use tracing::{info, warn};

use super::software::Software;
use crate::settings::Settings;

/// The time for a worker to become ready: the enclaves are loaded, the attestation key certified.
const WORKER_START: Duration = Duration::from_secs(60);

/// The longest wait of a starting service for its first worker.
const FIRST_WORKER: Duration = Duration::from_secs(5);

/// The advice on a machine without SGX.
pub(super) const NO_SGX: &str = "`quote-helper check` shows what this machine lacks; without SGX, \
    --platform software makes insecure quotes";

/// A Quoter, and the parts of it that the service manages.
pub(super) struct QuoteBackend {
    pub(super) quoter: Arc<dyn ServedQuoter>,
    /// Its workers, unless it quotes in this process.
    pub(super) workers: Option<Arc<WorkerQuoter>>,
    /// The software platform, unless it is real SGX.
    pub(super) software: Option<Software>,
    pub(super) metrics: Metrics,
}

impl QuoteBackend {
    /// Opens the platform that the settings name.
    pub(super) async fn open(settings: &Settings) -> anyhow::Result<Self> {
        match settings.platform() {
            Platform::Dcap => Ok(Self::dcap(settings, &settings.dcap_library()).await),
            Platform::Software => Self::software(settings).await,
        }
    }

    /// Enclaves and Intel's libraries live in workers only.
    async fn dcap(settings: &Settings, library: &Path) -> Self {
        info!(library = %library.display(), "quotes come from Intel's QE and PCE");
        if find_library(library).is_none() {
            warn!(
                library = %library.display(),
                "cannot find Intel's quote generation library, which quotes need. {NO_SGX}"
            );
        }
        let arguments = ["--dcap-library".into(), library.to_owned()];
        let metrics = Metrics::new("dcap");
        let workers = start_workers(settings, arguments.into(), &metrics).await;
        Self { quoter: workers.clone(), workers: Some(workers), software: None, metrics }
    }

    async fn software(settings: &Settings) -> anyhow::Result<Self> {
        let state_dir = settings.state_dir.clone().map_or_else(default_state_dir, Ok)?;
        let kind = settings.certification_data();
        let software = Software::open(state_dir.clone(), kind.into())?;
        warn!(
            state_dir = %state_dir.display(),
            "INSECURE: quotes come from the software platform, as configured; verifiers reject \
             them unless they trust its root explicitly"
        );
        let metrics = Metrics::new("software");
        if !settings.isolate.unwrap_or(false) {
            let quoter = Arc::new(software.quoter.clone());
            return Ok(Self { quoter, workers: None, software: Some(software), metrics });
        }
        let kind = format!("--certification-data={}", kind.name());
        let arguments = ["--state-dir".into(), state_dir, kind.into()];
        let workers = start_workers(settings, arguments.into(), &metrics).await;
        Ok(Self {
            quoter: workers.clone(),
            workers: Some(workers),
            software: Some(software),
            metrics,
        })
    }
}

async fn start_workers(
    settings: &Settings,
    arguments: Vec<PathBuf>,
    metrics: &Metrics,
) -> Arc<WorkerQuoter> {
    let quote_provider = quote_provider(settings.worker_timeout());
    let command = move || {
        // The same program, even if its file has been replaced.
        let mut command = Command::new("/proc/self/exe");
        command.arg("worker").args(&arguments);
        command.envs(quote_provider.clone());
        command
    };
    let options = WorkerOptions {
        command: Box::new(command),
        workers: settings.workers(),
        start_timeout: WORKER_START,
        quote_timeout: settings.worker_timeout(),
    };
    let workers = Arc::new(WorkerQuoter::start(options, metrics));
    // A library that hangs does not keep other requests from being served.
    let _ = tokio::time::timeout(FIRST_WORKER, workers.first_start()).await;
    workers
}

/// Variables for the quote provider library in a worker. Only a machine without a PCK certificate
/// waits for the network, for less than the worker's timeout; the service refreshes old ones.
fn quote_provider(worker_timeout: Duration) -> [(&'static str, String); 3] {
    let timeout = worker_timeout.mul_f64(0.6);
    [
        ("QUOTE_HELPER_COLLATERAL_TIMEOUT", format!("{}ms", timeout.as_millis().max(1))),
        ("QUOTE_HELPER_COLLATERAL_RETRIES", "0".to_owned()),
        ("QUOTE_HELPER_COLLATERAL_CACHE_MAX_AGE", "36500d".to_owned()),
    ]
}
