//! Quotes wait here, and are given to the worker that has the least to do.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use quoting::{AttestationKey, Flow, QuoteReply, QuoteRequest, QuotingError};
use sgx::AesmError;
use tokio::sync::{Notify, oneshot};
use tracing::warn;

use super::message::Offer;
use crate::fair_queue::FairQueue;

/// A worker is given as many quotes at once as it makes in this time, so that it rarely waits for the
/// next one, and a quote rarely for a worker that hangs.
const LOAD: Duration = Duration::from_millis(1);
const LARGEST_LOAD: u32 = 32;

/// To wake an idle worker is worth it if a quote would otherwise wait longer than this.
const WAKING: Duration = Duration::from_micros(500);

/// A quote is given to so many workers, one after the other, before it is given up: it may be what
/// they die of.
const MAX_WORKERS_TRIED: u32 = 6;

/// For so long without a worker, and without success at starting one, quotes wait; then they are
/// refused.
const GIVE_UP_AFTER: Duration = Duration::from_secs(2);

pub(super) type Outcome = Result<QuoteReply, QuotingError>;

/// A quote that somebody waits for.
pub(super) struct Job {
    flow: Flow,
    pub(super) request: Box<QuoteRequest>,
    pub(super) outcome: oneshot::Sender<Outcome>,
    workers_tried: u32,
}

/// What waits, and what all lanes have to do.
pub(super) struct Pool {
    state: Mutex<State>,
    settled: Notify,
}

struct State {
    waiting: FairQueue<Job>,
    lanes: Vec<LaneState>,
    offer: Option<Offer>,
    /// The newest generation of a worker that had the attestation key of the offer.
    key_generation: u64,
    /// Whether clients can know the attestation key of the offer.
    initialized: bool,
    last_ready: Instant,
}

/// What one lane has to do, and how it is.
#[derive(Default)]
struct LaneState {
    ready: bool,
    /// Of which generation its worker is, unless that one could not be started.
    generation: u64,
    /// Given to the lane and not yet made.
    load: u32,
    /// How long its worker takes for each quote.
    each: Duration,
    inbox: VecDeque<Job>,
    /// Why the last attempt to start a worker failed.
    failure: Option<String>,
    wake: Arc<Notify>,
}

/// A worker has another attestation key than those that are ready.
#[derive(Debug, thiserror::Error)]
#[error(
    "its attestation key is not that of the other workers; if it was renewed on purpose, have all \
     workers replaced (SIGHUP)"
)]
pub(super) struct OtherKey;

impl Pool {
    pub(super) fn new(lanes: usize) -> Self {
        let mut states = Vec::new();
        states.resize_with(lanes, LaneState::default);
        let state = State {
            waiting: FairQueue::default(),
            lanes: states,
            offer: None,
            key_generation: 0,
            initialized: true,
            last_ready: Instant::now(),
        };
        Self { state: Mutex::new(state), settled: Notify::new() }
    }

    /// Has a quote made, in the turn of this flow.
    pub(super) fn submit(
        &self,
        request: Box<QuoteRequest>,
        flow: Flow,
    ) -> Result<oneshot::Receiver<Outcome>, QuotingError> {
        let mut state = self.lock();
        if let Some(reason) = state.unavailable_because() {
            return Err(unavailable(&reason));
        }
        state.check_initialized()?;
        let (outcome, result) = oneshot::channel();
        state.waiting.push(flow, Job { flow, request, outcome, workers_tried: 0 });
        state.dispatch();
        Ok(result)
    }

    /// The attestation key of the workers, which from now on is initialized.
    pub(super) fn initialize(&self) -> Result<AttestationKey, QuotingError> {
        let mut state = self.lock();
        let offer = state.known()?;
        state.initialized = true;
        Ok(offer.attestation_key)
    }

    /// The size of quotes by the attestation key that is initialized.
    pub(super) fn quote_size(&self) -> Result<u32, QuotingError> {
        let state = self.lock();
        let offer = state.known()?;
        state.check_initialized()?;
        Ok(offer.quote_size)
    }

    /// Waits until a worker has been ready, or has failed to be.
    pub(super) async fn settled(&self) {
        let settled = self.settled.notified();
        if self.lock().offer.is_none() {
            settled.await;
        }
    }

    /// The lane has a worker of this generation, or keeps its old one since there is none.
    pub(super) fn settle(&self, lane: usize, generation: u64) {
        if let Some(lane) = self.lock().lanes.get_mut(lane) {
            lane.generation = generation;
        }
        self.settled.notify_waiters();
    }

    /// Waits until all lanes have settled with this generation, or a later one.
    pub(super) async fn all_settled(&self, generation: u64) {
        loop {
            let settled = self.settled.notified();
            if self.lock().lanes.iter().all(|lane| lane.generation >= generation) {
                return;
            }
            settled.await;
        }
    }

    /// What wakes the lane when there is something to take.
    pub(super) fn wake(&self, lane: usize) -> Arc<Notify> {
        self.lock().lanes.get(lane).map(|lane| Arc::clone(&lane.wake)).unwrap_or_default()
    }

    /// The lane has a worker of this generation that is ready.
    ///
    /// # Errors
    /// [`OtherKey`] when the worker must not be used.
    pub(super) fn ready(&self, lane: usize, generation: u64, offer: Offer) -> Result<(), OtherKey> {
        let mut state = self.lock();
        state.check_key(generation, &offer)?;
        state.key_generation = state.key_generation.max(generation);
        state.offer = Some(offer);
        if let Some(lane) = state.lanes.get_mut(lane) {
            (lane.ready, lane.failure, lane.each) = (true, None, LOAD);
        }
        state.dispatch();
        self.settled.notify_waiters();
        Ok(())
    }

    /// Whether the lane is given quotes to make.
    pub(super) fn is_ready(&self, lane: usize) -> bool {
        self.lock().lanes.get(lane).is_some_and(|lane| lane.ready)
    }

    /// The lane could not start a worker. Says whether that is known, since it was so the last time.
    pub(super) fn failed(&self, lane: usize, reason: &str) -> bool {
        let mut state = self.lock();
        let failure =
            state.lanes.get_mut(lane).and_then(|lane| lane.failure.replace(reason.to_owned()));
        if let Some(why) = state.unavailable_because() {
            while let Some(job) = state.waiting.pop() {
                let _ = job.outcome.send(Err(unavailable(&why)));
            }
        }
        self.settled.notify_waiters();
        failure.is_some_and(|failure| failure == reason)
    }

    /// What has been given to the lane since the last time.
    pub(super) fn take(&self, lane: usize) -> VecDeque<Job> {
        self.lock()
            .lanes
            .get_mut(lane)
            .map(|lane| std::mem::take(&mut lane.inbox))
            .unwrap_or_default()
    }

    /// The lane has made so many quotes in this time.
    pub(super) fn made(&self, lane: usize, quotes: u32, time: Duration) {
        let mut state = self.lock();
        if let Some(lane) = state.lanes.get_mut(lane) {
            lane.load = lane.load.saturating_sub(quotes);
            lane.each = time.checked_div(quotes).unwrap_or(LOAD);
        }
        state.dispatch();
    }

    /// The lane takes no more for now.
    pub(super) fn pause(&self, lane: usize) {
        if let Some(lane) = self.lock().lanes.get_mut(lane) {
            lane.ready = false;
        }
    }

    /// The lane has lost its worker, which had begun with the first of these quotes.
    pub(super) fn lost(&self, lane: usize, mut unmade: VecDeque<Job>) {
        if let Some(first) = unmade.front_mut() {
            first.workers_tried = first.workers_tried.saturating_add(1);
        }
        let deadly = unmade.front().is_some_and(|job| job.workers_tried >= MAX_WORKERS_TRIED);
        if deadly && let Some(job) = unmade.pop_front() {
            let _ = job.outcome.send(Err(given_up()));
        }
        let mut state = self.lock();
        if let Some(lane) = state.lanes.get_mut(lane) {
            unmade.append(&mut lane.inbox);
            (lane.ready, lane.load) = (false, 0);
        }
        state.last_ready = Instant::now();
        for job in unmade.into_iter().rev() {
            state.waiting.push_first(job.flow, job);
        }
        state.dispatch();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl State {
    /// Whether clients have taken notice of the attestation key that there is.
    fn check_initialized(&self) -> Result<(), QuotingError> {
        if self.initialized {
            return Ok(());
        }
        let detail = "new workers have another attestation key";
        Err(QuotingError::new(AesmError::AttKeyNotInitialized, detail))
    }

    /// Sees to it that all workers that make quotes have one attestation key. It becomes another one
    /// with a worker that was started later than all that have it, to replace them, or when none of
    /// them is ready; those that are left get nothing more to do. So a worker that lies about its
    /// key takes none of the others out of service.
    fn check_key(&mut self, generation: u64, offer: &Offer) -> Result<(), OtherKey> {
        let known = self.offer.as_ref();
        if known.is_none_or(|known| known.attestation_key == offer.attestation_key) {
            return Ok(());
        }
        let in_use = self.lanes.iter().any(|lane| lane.ready);
        if in_use && generation <= self.key_generation {
            return Err(OtherKey);
        }
        warn!("the workers have another attestation key; clients are told to initialize it");
        self.initialized = false;
        self.lanes.iter_mut().for_each(|lane| lane.ready = false);
        Ok(())
    }

    /// Gives what waits to the lanes that have the least to do.
    fn dispatch(&mut self) {
        while !self.waiting.is_empty() {
            let free = self.lanes.iter_mut().filter(|lane| lane.has_room());
            let Some(lane) = free.min_by_key(|lane| lane.wait()) else { return };
            let Some(job) = self.waiting.pop() else { return };
            // A caller that has gone away, or waited too long, is not worth a signature.
            if !job.outcome.is_closed() {
                lane.inbox.push_back(job);
                lane.load = lane.load.saturating_add(1);
                lane.wake.notify_one();
            }
        }
    }

    fn known(&self) -> Result<Offer, QuotingError> {
        let unknown = || unavailable(&self.failure().unwrap_or_else(|| "none is ready yet".into()));
        self.offer.clone().ok_or_else(unknown)
    }

    /// Why there is no point in waiting for a worker.
    fn unavailable_because(&self) -> Option<String> {
        let nobody = !self.lanes.iter().any(|lane| lane.ready);
        let failing = self.lanes.iter().all(|lane| lane.failure.is_some());
        (nobody && failing && self.last_ready.elapsed() >= GIVE_UP_AFTER)
            .then(|| self.failure())
            .flatten()
    }

    fn failure(&self) -> Option<String> {
        self.lanes.iter().find_map(|lane| lane.failure.clone())
    }
}

impl LaneState {
    fn has_room(&self) -> bool {
        let busy = self.load > 0 && self.wait() >= LOAD;
        self.ready && !busy && self.load < LARGEST_LOAD
    }

    /// How long a quote would wait here, about.
    fn wait(&self) -> Duration {
        match self.load {
            0 => WAKING,
            load => self.each.saturating_mul(load),
        }
    }
}

fn unavailable(reason: &str) -> QuotingError {
    let detail = format!("no worker comes up: {reason}");
    QuotingError::new(AesmError::ServiceUnavailable, detail)
}

fn given_up() -> QuotingError {
    let detail = format!("{MAX_WORKERS_TRIED} workers were lost while they made this quote");
    QuotingError::new(AesmError::ServiceUnavailable, detail)
}
