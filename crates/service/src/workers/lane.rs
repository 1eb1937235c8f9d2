//! One worker after another: starts it, feeds it, replaces it.

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

use super::WorkerOptions;
use super::message::Reply;
use super::pool::{Job, Pool};
use super::process::{LinkError, StartError, Worker};
use crate::Metrics;
use crate::metrics::WorkerEnd;

/// The pause after a failed start, doubled each time up to the longest one.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// What a worker says itself will mostly be so for a while.
const LONGEST_PAUSE_IF_REFUSED: Duration = Duration::from_secs(10);
/// A process that ends may have been killed, and somebody may wait for its quote.
const LONGEST_PAUSE_IF_LOST: Duration = Duration::from_millis(400);

/// The place of one worker in the pool.
pub(super) struct Lane {
    index: usize,
    pool: Arc<Pool>,
    wake: Arc<Notify>,
    options: Arc<WorkerOptions>,
    metrics: Metrics,
    generation: watch::Receiver<u64>,
    /// The generation of the worker, or of the one that is being started.
    current: u64,
    /// The pause before the next start, if another worker was good for nothing.
    pause: Duration,
}

/// A worker at work.
struct Shift {
    worker: Worker,
    /// What the worker has been asked for, in this order.
    unmade: VecDeque<Job>,
    /// When it began with the first of that.
    begin: Instant,
    /// Whether it has made any quote.
    made: bool,
    successor: Option<Successor>,
}

type Successor = Pin<Box<dyn Future<Output = Result<Worker, StartError>> + Send>>;

/// Why a worker has to go.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Lost(#[from] LinkError),
    #[error("it hangs")]
    Hangs,
    #[error("it has lost its enclave")]
    EnclaveLost,
    #[error("it answered a request for a quote with something else: {0}")]
    WrongReply(#[from] WrongReply),
    #[error("the others have a newer attestation key")]
    OldKey,
}

impl Lane {
    pub(super) fn new(
        index: usize,
        pool: Arc<Pool>,
        options: Arc<WorkerOptions>,
        metrics: Metrics,
        generation: watch::Receiver<u64>,
    ) -> Self {
        let wake = pool.wake(index);
        let pause = FIRST_PAUSE;
        Self { index, pool, wake, options, metrics, generation, current: 0, pause }
    }

    /// Sees to it that there is a worker, for ever.
    pub(super) async fn run(mut self) {
        let mut worker = self.start().await;
        loop {
            worker = match self.serve(worker).await {
                Some(successor) => successor,
                None => self.start().await,
            };
        }
    }

    /// Starts a worker, however often that fails.
    async fn start(&mut self) -> Worker {
        loop {
            self.current = *self.generation.borrow_and_update();
            match Worker::start(&self.options).await {
                Ok(worker) => return worker,
                Err(error) => self.failed_to_start(&error).await,
            }
        }
    }

    /// Tells that there is no worker, and waits until it is time for the next one.
    async fn failed_to_start(&mut self, error: &StartError) {
        self.metrics.worker_ended(error.end());
        let known = self.pool.failed(self.index, &error.to_string());
        self.pool.settle(self.index, self.current);
        if !known {
            warn!(worker = self.index, %error, "a worker cannot be started; retrying");
        }
        self.pause(match error {
            StartError::Lost { .. } => LONGEST_PAUSE_IF_LOST,
            _ => LONGEST_PAUSE_IF_REFUSED,
        })
        .await;
    }

    async fn pause(&mut self, longest: Duration) {
        sleep(self.pause.min(longest)).await;
        self.pause = self.pause.saturating_mul(2).min(longest);
    }

    /// Has a worker make quotes until its successor is there, if it gets that far.
    async fn serve(&mut self, worker: Worker) -> Option<Worker> {
        let ready = self.pool.ready(self.index, self.current, worker.offer.clone());
        if let Err(other_key) = ready {
            self.failed_to_start(&other_key.into()).await;
            return None;
        }
        info!(worker = self.index, "a worker is ready");
        self.pool.settle(self.index, self.current);
        self.metrics.workers.inc();
        let begin = Instant::now();
        let unmade = VecDeque::new();
        let mut shift = Shift { worker, unmade, begin, made: false, successor: None };
        let (successor, fault) = match self.feed(&mut shift).await {
            Ok(successor) => (Some(successor), self.finish(&mut shift).await.err()),
            Err(fault) => (None, Some(fault)),
        };
        self.metrics.workers.dec();
        self.metrics.worker_ended(fault.as_ref().map_or(WorkerEnd::Replaced, Fault::end));
        let made = shift.made;
        match fault {
            None => shift.worker.retire(),
            Some(fault) => self.give_back(shift, &fault).await,
        }
        match (made, &successor) {
            (true, _) => self.pause = FIRST_PAUSE,
            (false, None) => self.pause(LONGEST_PAUSE_IF_LOST).await,
            (false, Some(_)) => {}
        }
        successor
    }

    /// Has the quotes of a worker that has failed made by others.
    async fn give_back(&self, shift: Shift, fault: &Fault) {
        let unmade = shift.unmade.len();
        self.pool.lost(self.index, shift.unmade);
        let ending = shift.worker.end().await;
        warn!(worker = self.index, unmade, "a worker is replaced: {fault}{ending}");
    }

    /// Gives the worker what there is to do, until its successor is ready.
    async fn feed(&mut self, shift: &mut Shift) -> Result<Worker, Fault> {
        loop {
            shift.send(self.pool.take(self.index)).await?;
            let deadline = self.deadline(shift);
            tokio::select! {
                biased;
                replies = shift.worker.receive() => {
                    self.deliver(shift, replies?)?;
                }
                () = self.wake.notified() => {}
                () = sleep_until(deadline), if !shift.unmade.is_empty() => {
                    return Err(Fault::Hangs);
                }
                Ok(()) = self.generation.changed(), if shift.successor.is_none() => {
                    self.current = *self.generation.borrow();
                    let options = Arc::clone(&self.options);
                    shift.successor = Some(Box::pin(async move { Worker::start(&options).await }));
                }
                started = ready(&mut shift.successor) => {
                    shift.successor = None;
                    match started {
                        Ok(successor) => return Ok(successor),
                        Err(error) => {
                            let worker = self.index;
                            warn!(worker, %error, "the old worker stays, since the new one failed");
                            self.metrics.worker_ended(error.end());
                            self.pool.settle(self.index, self.current);
                            if !self.pool.is_ready(worker) {
                                return Err(Fault::OldKey);
                            }
                        }
                    }
                }
            }
        }
    }

    /// Waits for what the worker has been asked for, while its successor is ready to go on.
    async fn finish(&self, shift: &mut Shift) -> Result<(), Fault> {
        self.pool.pause(self.index);
        shift.send(self.pool.take(self.index)).await?;
        while !shift.unmade.is_empty() {
            let deadline = self.deadline(shift);
            tokio::select! {
                replies = shift.worker.receive() => {
                    self.deliver(shift, replies?)?;
                }
                () = sleep_until(deadline) => return Err(Fault::Hangs),
            }
        }
        Ok(())
    }

    fn deliver(&self, shift: &mut Shift, replies: VecDeque<Reply>) -> Result<(), Fault> {
        let made = u32::try_from(replies.len()).unwrap_or(u32::MAX);
        shift.deliver(replies)?;
        let begin = std::mem::replace(&mut shift.begin, Instant::now());
        self.pool.made(self.index, made, shift.begin.saturating_duration_since(begin));
        Ok(())
    }

    /// By when the worker has to have made the first quote that it has been asked for.
    fn deadline(&self, shift: &Shift) -> Instant {
        shift.begin.checked_add(self.options.quote_timeout).unwrap_or(shift.begin)
    }
}

impl Shift {
    async fn send(&mut self, mut jobs: VecDeque<Job>) -> Result<(), LinkError> {
        if jobs.is_empty() {
            return Ok(());
        }
        if self.unmade.is_empty() {
            self.begin = Instant::now();
        }
        let sent = self.worker.send(jobs.iter().map(|job| &*job.request)).await;
        self.unmade.append(&mut jobs);
        sent
    }

    /// Hands quotes to those who wait for them, once each is seen to be what was asked for: the
    /// worker holds foreign code, and what became of its own checks nobody knows.
    fn deliver(&mut self, replies: VecDeque<Reply>) -> Result<(), Fault> {
        for reply in replies {
            let asked = &self.unmade.front().ok_or(LinkError::Unasked)?.request;
            let outcome = match reply {
                Reply::Quote(reply) => {
                    asked.check(&reply)?;
                    Ok(reply)
                }
                Reply::Failed(error) if error.code() == AesmError::EnclaveLost => {
                    return Err(Fault::EnclaveLost);
                }
                Reply::Failed(error) => Err(error),
                Reply::Ready(_) => return Err(LinkError::Unasked.into()),
            };
            let job = self.unmade.pop_front().ok_or(LinkError::Unasked)?;
            let _ = job.outcome.send(outcome);
            self.made = true;
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

/// The successor, once it is ready; never, if there is none.
async fn ready(successor: &mut Option<Successor>) -> Result<Worker, StartError> {
    match successor {
        Some(starting) => starting.await,
        None => pending().await,
    }
}
