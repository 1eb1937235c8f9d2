//! The conformance run of quotes that are to replace others: those of a new instance, before it
//! takes over; those of new workers, before they replace the old ones.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::bail;
use conformance::{Conformance, Options, QuoteEvidence};
use quoting::{REAL_QE_ANSWERS, ServedQuoter, default_state_dir};
use service::{Metrics, WorkerQuoter};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tracing::info;

use super::health::Proof;
use super::private_service;
use super::quote_backend::QuoteBackend;
use super::worker_settings::{WORKER_START, WorkerSettings};
use crate::failure::explain;
use crate::settings::Settings;

/// The limit of one request, the quote included.
const STEP_TIMEOUT: Duration = Duration::from_secs(5);

/// The place and the criteria of the run.
#[derive(Clone)]
pub(super) struct Validation {
    state_dir: PathBuf,
    proof: Proof,
}

impl Validation {
    pub(super) fn new(settings: &Settings, proof: Proof) -> anyhow::Result<Self> {
        let state_dir = settings.state_dir.clone().map_or_else(default_state_dir, Ok)?;
        Ok(Self { state_dir, proof })
    }

    /// Runs every client against this instance, at a private socket.
    ///
    /// # Errors
    /// The difference from what a client requires, or another reason that no quote can be made.
    pub(super) async fn of_instance(&self, backend: &QuoteBackend) -> anyhow::Result<()> {
        if let Some(workers) = &backend.workers {
            // The predecessor serves meanwhile.
            let _ = timeout(WORKER_START, workers.first_start()).await;
        }
        let quoter = Arc::clone(&backend.quoter);
        self.run(async move |_| quoter).await
    }

    /// Starts one new worker, and runs every client against it.
    ///
    /// # Errors
    /// As [`Self::of_instance`].
    pub(super) async fn of_new_worker(&self, workers: &WorkerSettings) -> anyhow::Result<()> {
        let worker = workers.of_one();
        let start = async move |metrics: Metrics| {
            let worker: Arc<WorkerQuoter> = worker.start(&metrics);
            let _ = timeout(WORKER_START, worker.first_start()).await;
            worker as Arc<dyn ServedQuoter>
        };
        self.run(start).await
    }

    async fn run<Q>(&self, quoter: Q) -> anyhow::Result<()>
    where
        Q: AsyncFnOnce(Metrics) -> Arc<dyn ServedQuoter> + Send + 'static,
    {
        let begin = Instant::now();
        let Self { state_dir, proof } = self.clone();
        let outcome = spawn_blocking(move || {
            let verify = |quote: &[u8]| proof.of(quote).map_err(|error| explain(&error));
            let is_verified = matches!(proof, Proof::Verifies { .. });
            let verifier = is_verified.then_some(&verify as &dyn Fn(&[u8]) -> _);
            private_service::run(&state_dir, quoter, Options { timeout: STEP_TIMEOUT, verifier })
        });
        let outcome = outcome.await??;
        check(&outcome)?;
        let milliseconds = begin.elapsed().as_millis();
        info!(milliseconds, quotes = evidence(&outcome), "the conformance run has passed");
        Ok(())
    }
}

fn check(outcome: &Conformance) -> anyhow::Result<()> {
    let mut differences = outcome.differences();
    let Some(first) = differences.next() else { return Ok(()) };
    match differences.count() {
        0 => bail!("a client would not be served: {first}"),
        others => bail!("{first}; {others} other clients would not be served either"),
    }
}

fn evidence(outcome: &Conformance) -> &str {
    match outcome.quote() {
        QuoteEvidence::Verified(proof) => proof,
        QuoteEvidence::Refused => REAL_QE_ANSWERS,
        QuoteEvidence::Made => "a quote was made",
        QuoteEvidence::None => "none",
    }
}
