//! The queue of quotes, and the choice of the worker for each: the one with the least to do.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use quoting::{AttestationKey, Flow, QuoteReply, QuoteRequest, QuotingError};
use sgx::AesmError;
use tokio::sync::{Notify, oneshot};
use tracing::warn;

use super::fair_queue::FairQueue;
use super::message::WorkerInfo;

/// A worker is given as many quotes at once as it makes in this time, so that it rarely waits for
/// the next one, and few quotes wait for a worker that hangs.
const TARGET_BATCH_TIME: Duration = Duration::from_millis(1);
const MAX_BATCH: u32 = 32;

/// Waking an idle worker pays if a quote would otherwise wait longer than this.
const WAKE_TIME: Duration = Duration::from_micros(500);

/// The most workers that are lost to one quote, which may be the cause.
const MAX_WORKERS_TRIED: u32 = 6;

/// Quotes wait so long while no worker is ready or can be started; then they are refused.
const NO_WORKER_TIMEOUT: Duration = Duration::from_secs(2);

pub(super) type QuoteResult = Result<QuoteReply, QuotingError>;

/// A quote that a client waits for.
pub(super) struct Job {
    flow: Flow,
    pub(super) request: Box<QuoteRequest>,
    pub(super) result: oneshot::Sender<QuoteResult>,
    workers_tried: u32,
}

/// The queued quotes and the workers' slots.
pub(super) struct Pool {
    state: Mutex<PoolState>,
    changed: Notify,
}

struct PoolState {
    queue: FairQueue<Job>,
    slots: Vec<Slot>,
    info: Option<WorkerInfo>,
    /// The newest generation of a worker that had the attestation key of `info`.
    key_generation: u64,
    /// False if clients do not know the attestation key of `info` yet.
    initialized: bool,
    last_ready: Instant,
}

/// One worker, as the pool sees it.
#[derive(Default)]
struct Slot {
    ready: bool,
    /// The generation of its worker, or of the latest one that failed to start.
    generation: u64,
    /// Jobs that were assigned and are not done.
    load: u32,
    /// The worker's time for each quote.
    each: Duration,
    inbox: VecDeque<Job>,
    /// The reason why the latest worker failed to start.
    failure: Option<String>,
    wake: Arc<Notify>,
}

/// A worker has another attestation key than those that are ready.
#[derive(Debug, thiserror::Error)]
#[error(
    "its attestation key differs from that of the other workers; if it was renewed on purpose, \
     replace all workers (SIGHUP)"
)]
pub(super) struct OtherKey;

impl Pool {
    pub(super) fn new(workers: usize) -> Self {
        let mut slots = Vec::new();
        slots.resize_with(workers, Slot::default);
        let state = PoolState {
            queue: FairQueue::default(),
            slots,
            info: None,
            key_generation: 0,
            initialized: true,
            last_ready: Instant::now(),
        };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }

    /// Queues a quote.
    pub(super) fn submit(
        &self,
        request: Box<QuoteRequest>,
        flow: Flow,
    ) -> Result<oneshot::Receiver<QuoteResult>, QuotingError> {
        let mut state = self.state.lock();
        if let Some(reason) = state.unavailable_because() {
            return Err(unavailable(&reason));
        }
        state.check_initialized()?;
        let (result, receiver) = oneshot::channel();
        state.queue.push(flow, Job { flow, request, result, workers_tried: 0 });
        state.dispatch();
        Ok(receiver)
    }

    /// The attestation key of the workers. From now on clients know it.
    pub(super) fn initialize(&self) -> Result<AttestationKey, QuotingError> {
        let mut state = self.state.lock();
        let info = state.known()?;
        state.initialized = true;
        Ok(info.attestation_key)
    }

    /// The size of quotes, if clients know the attestation key.
    pub(super) fn quote_size(&self) -> Result<u32, QuotingError> {
        let state = self.state.lock();
        let info = state.known()?;
        state.check_initialized()?;
        Ok(info.quote_size)
    }

    /// Waits until a worker is ready or has failed to start.
    pub(super) async fn first_start(&self) {
        let changed = self.changed.notified();
        if self.state.lock().info.is_none() {
            changed.await;
        }
    }

    /// The slot has a worker of this generation, or keeps its old one because that failed to start.
    pub(super) fn mark_generation(&self, slot: usize, generation: u64) {
        if let Some(slot) = self.state.lock().slots.get_mut(slot) {
            slot.generation = generation;
        }
        self.changed.notify_waiters();
    }

    /// Waits until all slots are marked with this generation or a later one.
    pub(super) async fn wait_for_generation(&self, generation: u64) {
        loop {
            let changed = self.changed.notified();
            if self.state.lock().slots.iter().all(|slot| slot.generation >= generation) {
                return;
            }
            changed.await;
        }
    }

    /// Notified when jobs are assigned to the slot.
    pub(super) fn wake(&self, slot: usize) -> Arc<Notify> {
        self.state.lock().slots.get(slot).map(|slot| Arc::clone(&slot.wake)).unwrap_or_default()
    }

    /// The slot has a ready worker of this generation.
    ///
    /// # Errors
    /// [`OtherKey`] when the worker must not be used.
    pub(super) fn mark_ready(
        &self,
        slot: usize,
        generation: u64,
        info: WorkerInfo,
    ) -> Result<(), OtherKey> {
        let mut state = self.state.lock();
        state.check_key(generation, &info)?;
        state.key_generation = state.key_generation.max(generation);
        state.info = Some(info);
        if let Some(slot) = state.slots.get_mut(slot) {
            (slot.ready, slot.failure, slot.each) = (true, None, TARGET_BATCH_TIME);
        }
        state.dispatch();
        self.changed.notify_waiters();
        Ok(())
    }

    /// Tells if jobs are assigned to the slot.
    pub(super) fn is_ready(&self, slot: usize) -> bool {
        self.state.lock().slots.get(slot).is_some_and(|slot| slot.ready)
    }

    /// The slot's worker failed to start. True if the previous one failed for the same reason.
    pub(super) fn mark_failed(&self, slot: usize, reason: &str) -> bool {
        let mut state = self.state.lock();
        let failure =
            state.slots.get_mut(slot).and_then(|slot| slot.failure.replace(reason.to_owned()));
        if let Some(why) = state.unavailable_because() {
            while let Some(job) = state.queue.pop() {
                let _ = job.result.send(Err(unavailable(&why)));
            }
        }
        self.changed.notify_waiters();
        failure.is_some_and(|failure| failure == reason)
    }

    /// Takes the jobs that were assigned to the slot.
    pub(super) fn take(&self, slot: usize) -> VecDeque<Job> {
        let mut state = self.state.lock();
        state.slots.get_mut(slot).map(|slot| std::mem::take(&mut slot.inbox)).unwrap_or_default()
    }

    /// The slot's worker has made so many quotes in this time.
    pub(super) fn count_made(&self, slot: usize, quotes: u32, time: Duration) {
        let mut state = self.state.lock();
        if let Some(slot) = state.slots.get_mut(slot) {
            slot.load = slot.load.saturating_sub(quotes);
            slot.each = time.checked_div(quotes).unwrap_or(TARGET_BATCH_TIME);
        }
        state.dispatch();
    }

    /// Assigns no more jobs to the slot until it is ready again.
    pub(super) fn pause(&self, slot: usize) {
        if let Some(slot) = self.state.lock().slots.get_mut(slot) {
            slot.ready = false;
        }
    }

    /// The slot has lost its worker, which had begun with the first of these jobs. They are queued
    /// again.
    pub(super) fn mark_lost(&self, slot: usize, mut in_flight: VecDeque<Job>) {
        if let Some(first) = in_flight.front_mut() {
            first.workers_tried = first.workers_tried.saturating_add(1);
        }
        let deadly = in_flight.front().is_some_and(|job| job.workers_tried >= MAX_WORKERS_TRIED);
        if deadly && let Some(job) = in_flight.pop_front() {
            let _ = job.result.send(Err(too_many_workers_lost()));
        }
        let mut state = self.state.lock();
        if let Some(slot) = state.slots.get_mut(slot) {
            in_flight.append(&mut slot.inbox);
            (slot.ready, slot.load) = (false, 0);
        }
        state.last_ready = Instant::now();
        for job in in_flight.into_iter().rev() {
            state.queue.push_first(job.flow, job);
        }
        state.dispatch();
    }
}

impl PoolState {
    /// Checks that clients know the attestation key.
    fn check_initialized(&self) -> Result<(), QuotingError> {
        if self.initialized {
            return Ok(());
        }
        let detail = "new workers have another attestation key";
        Err(QuotingError::new(AesmError::AttKeyNotInitialized, detail))
    }

    /// Keeps all ready workers at one attestation key. A worker of a newer generation than the key
    /// may change it, and so may any worker while none is ready; workers with the old key then get
    /// no more jobs. So a worker that lies about its key puts none of the others out of service.
    fn check_key(&mut self, generation: u64, info: &WorkerInfo) -> Result<(), OtherKey> {
        let known = self.info.as_ref();
        if known.is_none_or(|known| known.attestation_key == info.attestation_key) {
            return Ok(());
        }
        let in_use = self.slots.iter().any(|slot| slot.ready);
        if in_use && generation <= self.key_generation {
            return Err(OtherKey);
        }
        warn!("the workers' attestation key has changed; clients must initialize the new one");
        self.initialized = false;
        self.slots.iter_mut().for_each(|slot| slot.ready = false);
        Ok(())
    }

    /// Assigns queued jobs to the slots with the least to do.
    fn dispatch(&mut self) {
        while !self.queue.is_empty() {
            let free = self.slots.iter_mut().filter(|slot| slot.has_room());
            let Some(slot) = free.min_by_key(|slot| slot.wait()) else { return };
            let Some(job) = self.queue.pop() else { return };
            // No signature for a caller that has disconnected or timed out.
            if !job.result.is_closed() {
                slot.inbox.push_back(job);
                slot.load = slot.load.saturating_add(1);
                slot.wake.notify_one();
            }
        }
    }

    fn known(&self) -> Result<WorkerInfo, QuotingError> {
        let unknown = || unavailable(&self.failure().unwrap_or_else(|| "none is ready yet".into()));
        self.info.clone().ok_or_else(unknown)
    }

    /// The reason why there is no point in waiting for a worker.
    fn unavailable_because(&self) -> Option<String> {
        let none_ready = !self.slots.iter().any(|slot| slot.ready);
        let all_failing = self.slots.iter().all(|slot| slot.failure.is_some());
        (none_ready && all_failing && self.last_ready.elapsed() >= NO_WORKER_TIMEOUT)
            .then(|| self.failure())
            .flatten()
    }

    fn failure(&self) -> Option<String> {
        self.slots.iter().find_map(|slot| slot.failure.clone())
    }
}

impl Slot {
    fn has_room(&self) -> bool {
        let busy = self.load > 0 && self.wait() >= TARGET_BATCH_TIME;
        self.ready && !busy && self.load < MAX_BATCH
    }

    /// The estimated time that a quote would wait here.
    fn wait(&self) -> Duration {
        match self.load {
            0 => WAKE_TIME,
            load => self.each.saturating_mul(load),
        }
    }
}

fn unavailable(reason: &str) -> QuotingError {
    let detail = format!("no worker is available: {reason}");
    QuotingError::new(AesmError::ServiceUnavailable, detail)
}

fn too_many_workers_lost() -> QuotingError {
    let detail = format!("{MAX_WORKERS_TRIED} workers were lost while they made this quote");
    QuotingError::new(AesmError::ServiceUnavailable, detail)
}

#[cfg(test)]
mod tests {
    use sgx::{AttestationKeyId, Report, TargetInfo};

    use super::*;

    #[test]
    fn a_tenant_that_floods_the_queue_leaves_every_second_quote_to_another_one() {
        let pool = Pool::new(1);
        let results = [1, 1, 1, 1, 2, 2].map(|tenant| {
            let request = Box::new(QuoteRequest {
                report: Report::default(),
                key_id: AttestationKeyId::ecdsa_p256(),
                qe_report_info: None,
            });
            pool.submit(request, Flow { tenant, user: 0 }).unwrap()
        });
        let attestation_key =
            AttestationKey { target_info: TargetInfo::default(), public_key_id: [7; 32] };
        pool.mark_ready(0, 0, WorkerInfo { attestation_key, quote_size: 4_700 }).unwrap();
        let mut order = Vec::new();
        for _ in &results {
            let jobs = pool.take(0);
            order.extend(jobs.iter().map(|job| job.flow.tenant));
            pool.count_made(0, 1, TARGET_BATCH_TIME);
        }
        assert_eq!(order, [1, 2, 1, 2, 1, 1]);
    }
}
