//! Quotes from worker processes, which may die, hang or be replaced without failing a quote.
//!
//! ```text
//! workers.rs            the Quoter that the service sees
//! workers/pool.rs       quotes wait here, and are given to workers
//! workers/lane.rs       one worker after another: starts it, feeds it, replaces it
//! workers/process.rs    a worker's process and the socket to it
//! workers/message.rs    what goes over that socket
//! workers/work.rs       the other end: what a worker does
//! ```

mod lane;
mod message;
mod pool;
mod process;
mod work;

use std::num::NonZeroUsize;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use quoting::{
    AttestationKey, Elsewhere, Flow, FutureQuote, Manner, QuoteReply, QuoteRequest, Quoter,
    QuotingError, check_key_id,
};
use sgx::{AesmError, AttestationKeyId};
use tokio::sync::watch;

use crate::Metrics;
use lane::Lane;
use pool::Pool;

pub use work::work;

/// How workers are started, and how long they may take.
pub struct WorkerOptions {
    /// The program that calls [`work`] with its standard input, ready to be started.
    pub command: Box<dyn Fn() -> Command + Send + Sync>,
    /// How many workers there are.
    pub workers: NonZeroUsize,
    /// The time for a worker to become ready.
    pub start_timeout: Duration,
    /// The time for one quote; a worker that takes longer hangs, and is replaced.
    pub quote_timeout: Duration,
}

/// A Quoter whose quotes are made by a pool of child processes.
///
/// A worker that dies, hangs or loses its enclave is replaced, and the quotes that it was making are
/// given to another one. What clients ask for before a quote is answered from memory. When new workers
/// have another attestation key, quotes fail with `AESM_ATT_KEY_NOT_INITIALIZED` until somebody has it
/// initialized. While no
/// worker comes up, quotes are refused at once with `AESM_SERVICE_UNAVAILABLE` and the reason.
pub struct WorkerQuoter {
    pool: Arc<Pool>,
    generation: watch::Sender<u64>,
}

impl WorkerQuoter {
    /// Starts the workers. Has to be called within the runtime that serves; they end with it.
    #[must_use]
    pub fn start(options: WorkerOptions, metrics: &Metrics) -> Self {
        let generation = watch::Sender::new(0);
        let pool = Arc::new(Pool::new(options.workers.get()));
        let options = Arc::new(options);
        for index in 0..options.workers.get() {
            let lane = Lane::new(
                index,
                Arc::clone(&pool),
                Arc::clone(&options),
                metrics.clone(),
                generation.subscribe(),
            );
            tokio::spawn(lane.run());
        }
        Self { pool, generation }
    }

    /// Replaces every worker by a new one, for instance since its libraries have been updated. Each
    /// goes on until its successor is ready; if there is none, it stays.
    pub fn replace(&self) {
        self.generation.send_modify(|generation| *generation = generation.wrapping_add(1));
    }

    /// Waits until each worker has been replaced since [`WorkerQuoter::replace`], or it is clear that its successor does
    /// not come up.
    pub async fn replaced(&self) {
        let generation = *self.generation.borrow();
        self.pool.all_settled(generation).await;
    }

    /// Waits until a worker is ready, or it is clear that none comes up.
    pub async fn settled(&self) {
        self.pool.settled().await;
    }
}

impl Quoter for WorkerQuoter {
    fn attestation_key_ids(&self) -> Result<Vec<AttestationKeyId>, QuotingError> {
        Ok(vec![AttestationKeyId::ecdsa_p256()])
    }

    fn initialize(&self, key_id: &AttestationKeyId) -> Result<AttestationKey, QuotingError> {
        check_key_id(key_id)?;
        self.pool.initialize()
    }

    fn quote_size(&self, key_id: &AttestationKeyId) -> Result<u32, QuotingError> {
        check_key_id(key_id)?;
        self.pool.quote_size()
    }

    /// Blocks the thread, which must not be one of the runtime's.
    fn quote(&self, request: &QuoteRequest) -> Result<QuoteReply, QuotingError> {
        check_key_id(&request.key_id)?;
        self.pool
            .submit(Box::new(request.clone()), Flow::default())?
            .blocking_recv()
            .unwrap_or_else(|_| Err(stopped()))
    }

    fn manner(&self) -> Manner<'_> {
        Manner::Elsewhere(self)
    }
}

impl Elsewhere for WorkerQuoter {
    fn quote(&self, request: Box<QuoteRequest>, flow: Flow) -> FutureQuote {
        let known = check_key_id(&request.key_id);
        let submitted = known.and_then(|()| self.pool.submit(request, flow));
        Box::pin(async { submitted?.await.unwrap_or_else(|_| Err(stopped())) })
    }
}

fn stopped() -> QuotingError {
    QuotingError::new(AesmError::ServiceStopped, "the workers have been stopped")
}
