//! Quotes from worker processes, which may crash, hang or be replaced without failing a quote.
//!
//! ```text
//! workers/pool.rs        the queue of quotes, and the choice of the worker for each
//! workers/fair_queue.rs  a queue that is served round-robin
//! workers/supervisor.rs  one worker slot: starts a worker, sends it jobs, replaces it
//! workers/process.rs     a worker's process and the socket to it
//! workers/message.rs     the messages on that socket
//! workers/run_worker.rs  the other end: the worker process
//! ```

mod fair_queue;
mod message;
mod pool;
mod process;
mod run_worker;
mod supervisor;

use std::sync::Arc;

use quoting::{
    AsyncQuoter, AttestationKey, Execution, Flow, FutureQuote, QuoteReply, QuoteRequest, Quoter,
    QuotingError, ServedQuoter, check_key_id,
};
use sgx::{AesmError, AttestationKeyId};
use tokio::sync::watch;

use crate::Metrics;
use pool::Pool;
use supervisor::WorkerSupervisor;

pub use process::WorkerOptions;
pub use run_worker::run_worker;

/// A Quoter whose quotes are made by a pool of child processes.
///
/// A worker that crashes, hangs or loses its enclave is replaced, and its quotes are given to
/// another one. Requests that clients make before a quote are answered from memory. When new
/// workers have another attestation key, quotes fail with `AESM_ATT_KEY_NOT_INITIALIZED` until a
/// client has initialized it. While no worker can be started, quotes are refused at once with
/// `AESM_SERVICE_UNAVAILABLE` and the reason.
pub struct WorkerQuoter {
    pool: Arc<Pool>,
    generation: watch::Sender<u64>,
}

impl WorkerQuoter {
    /// Starts the workers. Must be called within the runtime that serves; they end with it.
    #[must_use]
    pub fn start(options: WorkerOptions, metrics: &Metrics) -> Self {
        let generation = watch::Sender::new(0);
        let pool = Arc::new(Pool::new(options.workers.get()));
        let options = Arc::new(options);
        for slot in 0..options.workers.get() {
            let supervisor = WorkerSupervisor::new(
                slot,
                Arc::clone(&pool),
                Arc::clone(&options),
                metrics.clone(),
                generation.subscribe(),
            );
            tokio::spawn(supervisor.run());
        }
        Self { pool, generation }
    }

    /// Replaces every worker by a new one, for instance after an update of its libraries. Each
    /// works until its successor is ready, and stays if that fails to start.
    pub fn replace(&self) {
        self.generation.send_modify(|generation| *generation = generation.wrapping_add(1));
    }

    /// Waits until each worker has been replaced since [`WorkerQuoter::replace`], or its successor
    /// has failed to start.
    pub async fn replaced(&self) {
        let generation = *self.generation.borrow();
        self.pool.wait_for_generation(generation).await;
    }

    /// Waits until a worker is ready or has failed to start.
    pub async fn first_start(&self) {
        self.pool.first_start().await;
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
}

impl ServedQuoter for WorkerQuoter {
    fn execution(&self) -> Execution<'_> {
        Execution::Async(self)
    }
}

impl AsyncQuoter for WorkerQuoter {
    fn quote(&self, request: Box<QuoteRequest>, flow: Flow) -> FutureQuote {
        let known = check_key_id(&request.key_id);
        let submitted = known.and_then(|()| self.pool.submit(request, flow));
        Box::pin(async { submitted?.await.unwrap_or_else(|_| Err(stopped())) })
    }
}

fn stopped() -> QuotingError {
    QuotingError::new(AesmError::ServiceStopped, "the workers have been stopped")
}
