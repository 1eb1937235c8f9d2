//! The command and the limits of the service's workers.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use service::{Metrics, WorkerOptions, WorkerQuoter};

use crate::settings::Settings;

/// The time for a worker to become ready: the enclaves are loaded, the attestation key certified.
pub(super) const WORKER_START: Duration = Duration::from_secs(60);

/// The longest wait of a starting service for its first worker.
const FIRST_WORKER: Duration = Duration::from_secs(5);

/// The workers of a service, as often as they are started.
#[derive(Debug, Clone)]
pub(super) struct WorkerSettings {
    /// The arguments of `quote-helper worker`.
    arguments: Vec<PathBuf>,
    number: NonZeroUsize,
    quote_timeout: Duration,
}

impl WorkerSettings {
    pub(super) fn new(settings: &Settings, arguments: Vec<PathBuf>) -> Self {
        Self { arguments, number: settings.workers(), quote_timeout: settings.worker_timeout() }
    }

    /// The same, with one worker.
    pub(super) fn of_one(&self) -> Self {
        Self { number: NonZeroUsize::MIN, ..self.clone() }
    }

    /// Starts the workers within the runtime, with which they end.
    pub(super) fn start(&self, metrics: &Metrics) -> Arc<WorkerQuoter> {
        Arc::new(WorkerQuoter::start(self.options(), metrics))
    }

    /// Starts the workers, and waits for the first one. A library that hangs does not keep other
    /// requests from being served.
    pub(super) async fn start_first(&self, metrics: &Metrics) -> Arc<WorkerQuoter> {
        let workers = self.start(metrics);
        let _ = tokio::time::timeout(FIRST_WORKER, workers.first_start()).await;
        workers
    }

    fn options(&self) -> WorkerOptions {
        let arguments = self.arguments.clone();
        let quote_provider = quote_provider(self.quote_timeout);
        let command = move || {
            // The same program, even if its file has been replaced.
            let mut command = Command::new("/proc/self/exe");
            command.arg("worker").args(&arguments);
            command.envs(quote_provider.clone());
            command
        };
        WorkerOptions {
            command: Box::new(command),
            workers: self.number,
            start_timeout: WORKER_START,
            quote_timeout: self.quote_timeout,
        }
    }
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
