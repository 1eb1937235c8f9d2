//! Quotes that take their time wait here: for a thread, or for whoever else makes them.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use quoting::{Manner, QuoteReply, QuoteRequest, Quoter, QuotingError};
use sgx::AesmError;
use tokio::sync::{Semaphore, oneshot};

/// A bounded queue and its threads, which end when the queue is dropped.
pub(crate) struct QuoteQueue {
    quoter: Arc<dyn Quoter>,
    places: Semaphore,
    limit: usize,
    shared: Arc<Shared>,
}

type Outcome = Result<QuoteReply, QuotingError>;

struct Job {
    request: Box<QuoteRequest>,
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
    /// A queue for at most `limit` quotes, and the threads that a blocking Quoter needs.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start(
        quoter: Arc<dyn Quoter>,
        threads: usize,
        limit: usize,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { jobs: Mutex::default(), changed: Condvar::new() });
        let places = Semaphore::new(limit.min(Semaphore::MAX_PERMITS));
        let queue = Self { quoter, places, limit, shared };
        if matches!(queue.quoter.manner(), Manner::Blocking) {
            (0..threads.max(1)).try_for_each(|_| queue.start_thread())?;
        }
        Ok(queue)
    }

    /// Waits for the quote; a full queue is refused at once.
    ///
    /// # Errors
    /// The Quoter's, or `AESM_BUSY`.
    pub(crate) async fn quote(&self, request: Box<QuoteRequest>) -> Outcome {
        let Ok(_place) = self.places.try_acquire() else {
            let detail = format!("{} quotes are waiting already", self.limit);
            return Err(QuotingError::new(AesmError::Busy, detail));
        };
        if let Manner::Elsewhere(elsewhere) = self.quoter.manner() {
            return elsewhere.quote(request).await;
        }
        let (outcome, result) = oneshot::channel();
        self.shared.lock().waiting.push_back(Job { request, outcome });
        self.shared.changed.notify_one();
        result.await.unwrap_or_else(|_| {
            Err(QuotingError::new(AesmError::Unexpected, "the quoting thread failed"))
        })
    }

    fn start_thread(&self) -> std::io::Result<()> {
        let (shared, quoter) = (Arc::clone(&self.shared), Arc::clone(&self.quoter));
        let thread = thread::Builder::new().name("quoting".to_owned());
        thread.spawn(move || make_quotes(&shared, &*quoter)).map(drop)
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
