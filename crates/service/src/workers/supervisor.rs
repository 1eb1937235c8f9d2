//! One worker slot of the pool: starts a worker, sends it jobs, replaces it.

use std::collections::VecDeque;
use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use quoting::WrongReply;
use sgx::AesmError;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{info, warn};

use super::message::Reply;
use super::pool::{Job, Pool};
use super::process::{LinkError, StartError, Worker, WorkerOptions};
use crate::Metrics;
use crate::metrics::WorkerEnd;

/// The pause after a failed start, doubled each time up to the maximum.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// After an error that the worker reported, which will mostly persist for a while.
const MAX_PAUSE_IF_REFUSED: Duration = Duration::from_secs(10);
/// After the end of the process, which may have been killed while a client waits for its quote.
const MAX_PAUSE_IF_LOST: Duration = Duration::from_millis(400);

/// Keeps one worker slot of the pool occupied.
pub(super) struct WorkerSupervisor {
    slot: usize,
    pool: Arc<Pool>,
    wake: Arc<Notify>,
    options: Arc<WorkerOptions>,
    metrics: Metrics,
    generation: watch::Receiver<u64>,
    /// The generation of the worker, or of the one that is being started.
    current: u64,
    /// The pause before the next start, if another worker fails.
    pause: Duration,
}

/// A ready worker and its jobs.
struct ActiveWorker {
    worker: Worker,
    /// Jobs that were sent, in this order.
    in_flight: VecDeque<Job>,
    /// The time when the worker began with the first of them.
    begin: Instant,
    has_made_quotes: bool,
    successor: Option<Successor>,
}

type Successor = Pin<Box<dyn Future<Output = Result<Worker, StartError>> + Send>>;

/// The reason for replacing a worker that has failed.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Lost(#[from] LinkError),
    #[error("it hangs")]
    Hangs,
    #[error("it has lost its enclave")]
    EnclaveLost,
    #[error("its reply does not answer the request: {0}")]
    WrongReply(#[from] WrongReply),
    #[error("the others have a newer attestation key")]
    OldKey,
}

impl WorkerSupervisor {
    pub(super) fn new(
        slot: usize,
        pool: Arc<Pool>,
        options: Arc<WorkerOptions>,
        metrics: Metrics,
        generation: watch::Receiver<u64>,
    ) -> Self {
        let wake = pool.wake(slot);
        let pause = FIRST_PAUSE;
        Self { slot, pool, wake, options, metrics, generation, current: 0, pause }
    }

    /// Keeps a worker running, forever.
    pub(super) async fn run(mut self) {
        let mut worker = self.start().await;
        loop {
            worker = match self.supervise(worker).await {
                Some(successor) => successor,
                None => self.start().await,
            };
        }
    }

    /// Starts a worker, retrying until it succeeds.
    async fn start(&mut self) -> Worker {
        loop {
            self.current = *self.generation.borrow_and_update();
            match Worker::start(&self.options).await {
                Ok(worker) => return worker,
                Err(error) => self.failed_to_start(&error).await,
            }
        }
    }

    /// Reports the failure, and pauses before the next start.
    async fn failed_to_start(&mut self, error: &StartError) {
        self.metrics.worker_ended(error.end());
        let known = self.pool.mark_failed(self.slot, &error.to_string());
        self.pool.mark_generation(self.slot, self.current);
        if !known {
            warn!(worker = self.slot, %error, "a worker cannot be started; retrying");
        }
        self.pause(match error {
            StartError::Lost { .. } => MAX_PAUSE_IF_LOST,
            _ => MAX_PAUSE_IF_REFUSED,
        })
        .await;
    }

    async fn pause(&mut self, longest: Duration) {
        sleep(self.pause.min(longest)).await;
        self.pause = self.pause.saturating_mul(2).min(longest);
    }

    /// Runs a worker until its successor is ready, or it fails.
    async fn supervise(&mut self, worker: Worker) -> Option<Worker> {
        let ready = self.pool.mark_ready(self.slot, self.current, worker.info.clone());
        if let Err(other_key) = ready {
            self.failed_to_start(&other_key.into()).await;
            return None;
        }
        info!(worker = self.slot, "a worker is ready");
        self.pool.mark_generation(self.slot, self.current);
        self.metrics.workers.inc();
        let mut active = ActiveWorker::new(worker);
        let (successor, fault) = match self.run_active(&mut active).await {
            Ok(successor) => (Some(successor), self.drain(&mut active).await.err()),
            Err(fault) => (None, Some(fault)),
        };
        self.metrics.workers.dec();
        self.metrics.worker_ended(fault.as_ref().map_or(WorkerEnd::Replaced, Fault::end));
        let has_made_quotes = active.has_made_quotes;
        match fault {
            None => active.worker.retire(),
            Some(fault) => self.requeue(active, &fault).await,
        }
        match (has_made_quotes, &successor) {
            (true, _) => self.pause = FIRST_PAUSE,
            (false, None) => self.pause(MAX_PAUSE_IF_LOST).await,
            (false, Some(_)) => {}
        }
        successor
    }

    /// Returns the jobs of a failed worker to the pool.
    async fn requeue(&self, active: ActiveWorker, fault: &Fault) {
        let in_flight = active.in_flight.len();
        self.pool.mark_lost(self.slot, active.in_flight);
        let ending = active.worker.end().await;
        warn!(worker = self.slot, in_flight, "replacing a worker: {fault}{ending}");
    }

    /// Sends the worker its jobs until a successor is ready.
    async fn run_active(&mut self, active: &mut ActiveWorker) -> Result<Worker, Fault> {
        loop {
            active.send(self.pool.take(self.slot)).await?;
            let deadline = self.deadline(active);
            tokio::select! {
                biased;
                replies = active.worker.receive() => {
                    self.deliver(active, replies?)?;
                }
                () = self.wake.notified() => {}
                () = sleep_until(deadline), if !active.in_flight.is_empty() => {
                    return Err(Fault::Hangs);
                }
                Ok(()) = self.generation.changed(), if active.successor.is_none() => {
                    self.current = *self.generation.borrow();
                    let options = Arc::clone(&self.options);
                    active.successor = Some(Box::pin(async move { Worker::start(&options).await }));
                }
                started = started(&mut active.successor) => {
                    active.successor = None;
                    match started {
                        Ok(successor) => return Ok(successor),
                        Err(error) => {
                            let worker = self.slot;
                            warn!(worker, %error, "the new worker failed to start; keeping the old one");
                            self.metrics.worker_ended(error.end());
                            self.pool.mark_generation(self.slot, self.current);
                            if !self.pool.is_ready(worker) {
                                return Err(Fault::OldKey);
                            }
                        }
                    }
                }
            }
        }
    }

    /// Waits for the last jobs of a worker whose successor is ready.
    async fn drain(&self, active: &mut ActiveWorker) -> Result<(), Fault> {
        self.pool.pause(self.slot);
        active.send(self.pool.take(self.slot)).await?;
        while !active.in_flight.is_empty() {
            let deadline = self.deadline(active);
            tokio::select! {
                replies = active.worker.receive() => {
                    self.deliver(active, replies?)?;
                }
                () = sleep_until(deadline) => return Err(Fault::Hangs),
            }
        }
        Ok(())
    }

    fn deliver(&self, active: &mut ActiveWorker, replies: VecDeque<Reply>) -> Result<(), Fault> {
        let made = u32::try_from(replies.len()).unwrap_or(u32::MAX);
        active.deliver(replies)?;
        let begin = std::mem::replace(&mut active.begin, Instant::now());
        self.pool.count_made(self.slot, made, active.begin.saturating_duration_since(begin));
        Ok(())
    }

    /// The time by which the first job in flight must be done.
    fn deadline(&self, active: &ActiveWorker) -> Instant {
        active.begin.checked_add(self.options.quote_timeout).unwrap_or(active.begin)
    }
}

impl ActiveWorker {
    fn new(worker: Worker) -> Self {
        let (in_flight, begin) = (VecDeque::new(), Instant::now());
        Self { worker, in_flight, begin, has_made_quotes: false, successor: None }
    }

    async fn send(&mut self, mut jobs: VecDeque<Job>) -> Result<(), LinkError> {
        if jobs.is_empty() {
            return Ok(());
        }
        if self.in_flight.is_empty() {
            self.begin = Instant::now();
        }
        let sent = self.worker.send(jobs.iter().map(|job| &*job.request)).await;
        self.in_flight.append(&mut jobs);
        sent
    }

    /// Delivers replies to those who wait, after checking each against its request: a worker holds
    /// foreign code, which may have circumvented the worker's own checks.
    fn deliver(&mut self, replies: VecDeque<Reply>) -> Result<(), Fault> {
        for reply in replies {
            let request = &self.in_flight.front().ok_or(LinkError::Unexpected)?.request;
            let result = match reply {
                Reply::Quote(reply) => {
                    request.check(&reply)?;
                    Ok(reply)
                }
                Reply::Failed(error) if error.code() == AesmError::EnclaveLost => {
                    return Err(Fault::EnclaveLost);
                }
                Reply::Failed(error) => Err(error),
                Reply::Ready(_) => return Err(LinkError::Unexpected.into()),
            };
            let job = self.in_flight.pop_front().ok_or(LinkError::Unexpected)?;
            let _ = job.result.send(result);
            self.has_made_quotes = true;
        }
        Ok(())
    }
}

impl Fault {
    fn end(&self) -> WorkerEnd {
        match self {
            Self::Lost(error) => error.end(),
            Self::Hangs => WorkerEnd::Hung,
            Self::EnclaveLost => WorkerEnd::LostEnclave,
            Self::WrongReply(_) => WorkerEnd::WrongReply,
            Self::OldKey => WorkerEnd::Replaced,
        }
    }
}

/// Completes when the successor has started or failed; never without one.
async fn started(successor: &mut Option<Successor>) -> Result<Worker, StartError> {
    match successor {
        Some(starting) => starting.await,
        None => pending().await,
    }
}
