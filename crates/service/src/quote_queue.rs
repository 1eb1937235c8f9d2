//! Quotes wait here for one of the threads that make them.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use quoting::{QuoteReply, QuoteRequest, Quoter, QuotingError};
use sgx::AesmError;
use tokio::sync::oneshot;

/// A bounded queue and its threads, which end when the queue is dropped.
pub(crate) struct QuoteQueue {
    shared: Arc<Shared>,
    limit: usize,
}

type Outcome = Result<QuoteReply, QuotingError>;

struct Job {
    request: QuoteRequest,
    outcome: oneshot::Sender<Outcome>,
}

struct Shared {
    jobs: Mutex<Jobs>,
    changed: Condvar,
}

#[derive(Default)]
struct Jobs {
    waiting: VecDeque<Job>,
    closed: bool,
}

impl QuoteQueue {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start(
        quoter: &Arc<dyn Quoter>,
        threads: usize,
        limit: usize,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { jobs: Mutex::default(), changed: Condvar::new() });
        let queue = Self { shared, limit };
        for _ in 0..threads.max(1) {
            let (shared, quoter) = (Arc::clone(&queue.shared), Arc::clone(quoter));
            let name = "quoting".to_owned();
            thread::Builder::new().name(name).spawn(move || make_quotes(&shared, &*quoter))?;
        }
        Ok(queue)
    }

    /// Waits for a thread and the quote it makes; a full queue is refused at once.
    ///
    /// # Errors
    /// The Quoter's, or `AESM_BUSY`.
    pub(crate) async fn quote(&self, request: QuoteRequest) -> Outcome {
        let (outcome, result) = oneshot::channel();
        {
            let mut jobs = self.shared.lock();
            if jobs.waiting.len() >= self.limit {
                let detail = format!("{} quotes are waiting already", self.limit);
                return Err(QuotingError::new(AesmError::Busy, detail));
            }
            jobs.waiting.push_back(Job { request, outcome });
        }
        self.shared.changed.notify_one();
        result.await.unwrap_or_else(|_| {
            Err(QuotingError::new(AesmError::Unexpected, "the quoting thread failed"))
        })
    }
}

impl Drop for QuoteQueue {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    /// No panic happens while the lock is held, so a poisoned one holds whole jobs all the same.
    fn lock(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next job, as soon as there is one; `None` once the queue is closed.
    fn next(&self) -> Option<Job> {
        let mut jobs = self.lock();
        loop {
            if let Some(job) = jobs.waiting.pop_front() {
                return Some(job);
            }
            if jobs.closed {
                return None;
            }
            jobs = self.changed.wait(jobs).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn make_quotes(shared: &Shared, quoter: &dyn Quoter) {
    while let Some(Job { request, outcome }) = shared.next() {
        // A caller that has gone away, or waited too long, is not worth a signature.
        if !outcome.is_closed() {
            let _ = outcome.send(quoter.quote(&request));
        }
    }
}
