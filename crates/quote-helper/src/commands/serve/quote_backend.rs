//! The quote backend of the service: Intel's library in workers, or the software platform.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use quoting::{Platform, ServedQuoter, default_state_dir, find_library};
use service::{Metrics, WorkerQuoter};
use tracing::{info, warn};

use super::health::Proof;
use super::software::Software;
use super::worker_settings::WorkerSettings;
use crate::settings::Settings;

/// The advice on a machine without SGX.
pub(super) const NO_SGX: &str = "`quote-helper check` shows what this machine lacks; without SGX, \
    --platform software makes insecure quotes";

/// A Quoter, and the parts of it that the service manages.
pub(super) struct QuoteBackend {
    pub(super) quoter: Arc<dyn ServedQuoter>,
    /// Its workers, unless it quotes in this process.
    pub(super) workers: Option<Arc<WorkerQuoter>>,
    /// The settings by which its workers are started.
    pub(super) worker_settings: Option<WorkerSettings>,
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
        Self::isolated(settings, arguments.into(), None, Metrics::new("dcap")).await
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
            let (workers, worker_settings, software) = (None, None, Some(software));
            return Ok(Self { quoter, workers, worker_settings, software, metrics });
        }
        let kind = format!("--certification-data={}", kind.name());
        let arguments = ["--state-dir".into(), state_dir, kind.into()];
        Ok(Self::isolated(settings, arguments.into(), Some(software), metrics).await)
    }

    /// Quotes come from workers with these arguments.
    async fn isolated(
        settings: &Settings,
        arguments: Vec<PathBuf>,
        software: Option<Software>,
        metrics: Metrics,
    ) -> Self {
        let worker_settings = WorkerSettings::new(settings, arguments);
        let workers = worker_settings.start_first(&metrics).await;
        let quoter = workers.clone();
        let (workers, worker_settings) = (Some(workers), Some(worker_settings));
        Self { quoter, workers, worker_settings, software, metrics }
    }

    /// The proof that a quote is good.
    pub(super) fn proof(&self) -> anyhow::Result<Proof> {
        self.software.as_ref().map_or(Ok(Proof::Answers), Software::proof)
    }
}
