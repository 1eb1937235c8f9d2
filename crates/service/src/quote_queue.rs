//! Quotes that take their time wait here: for a thread, or for whoever else makes them.

use std::sync::Arc;
use std::thread;

use parking_lot::{Condvar, Mutex, MutexGuard};
use quoting::{Flow, Manner, QuoteReply, QuoteRequest, Quoter, QuotingError};
use sgx::AesmError;
use tokio::sync::oneshot;

use crate::fair_queue::FairQueue;
use crate::limits::Limits;
use crate::metrics::{Exhausted, Metrics};
use crate::shared_limit::{Exceeded, Quota, SharedLimit, Yields};

/// A bounded queue and its threads, which end when the queue is dropped. Those who wait take turns.
pub(crate) struct QuoteQueue {
    quoter: Arc<dyn Quoter>,
    places: Arc<SharedLimit>,
    metrics: Metrics,
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
    waiting: FairQueue<Job>,
    closed: bool,
}

fn quota(limits: &Limits) -> Quota {
    Quota {
        total: limits.queued_quotes,
        per_tenant: limits.queued_quotes_per_caller,
        yields: Yields::Newest,
    }
}

impl QuoteQueue {
    /// A queue within these limits, and the threads that a blocking Quoter needs.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start(
        quoter: Arc<dyn Quoter>,
        limits: &Limits,
        metrics: Metrics,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { jobs: Mutex::default(), changed: Condvar::new() });
        let places = SharedLimit::new(quota(limits), metrics.queued_quotes.clone());
        let queue = Self { quoter, places, metrics, shared };
        if matches!(queue.quoter.manner(), Manner::Blocking) {
            (0..limits.quoting_threads.max(1)).try_for_each(|_| queue.start_thread())?;
        }
        Ok(queue)
    }

    /// Takes quotes within these limits from now on.
    pub(crate) fn set_limits(&self, limits: &Limits) {
        self.places.set_quota(quota(limits));
    }

    /// Waits for the quote. With a full queue, or one that is full of quotes for this tenant, it is refused at once; and
    /// later if it has to give way to a tenant that has fewer.
    ///
    /// # Errors
    /// The Quoter's, or `AESM_BUSY`.
    pub(crate) async fn quote(&self, request: Box<QuoteRequest>, flow: Flow) -> Outcome {
        let mut place = self.places.take(flow).map_err(|exceeded| {
            self.full(match exceeded {
                Exceeded::Tenant => Exhausted::QuotesOfCaller,
                Exceeded::Total => Exhausted::Quotes,
            })
        })?;
        place.offer();
        tokio::select! {
            biased;
            outcome = self.make(request, flow) => outcome,
            () = place.taken_away() => Err(self.full(Exhausted::QuotesOfCaller)),
        }
    }

    async fn make(&self, request: Box<QuoteRequest>, flow: Flow) -> Outcome {
        if let Manner::Elsewhere(elsewhere) = self.quoter.manner() {
            return elsewhere.quote(request, flow).await;
        }
        let (outcome, result) = oneshot::channel();
        self.shared.lock().waiting.push(flow, Job { request, outcome });
        self.shared.changed.notify_one();
        result.await.unwrap_or_else(|_| {
            Err(QuotingError::new(AesmError::Unexpected, "the quoting thread failed"))
        })
    }

    fn full(&self, what: Exhausted) -> QuotingError {
        self.metrics.refused_as_busy(what);
        QuotingError::new(AesmError::Busy, what.to_string())
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
    fn lock(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock()
    }

    /// The next job, as soon as there is one; `None` once the queue is closed.
    fn next(&self) -> Option<Job> {
        let mut jobs = self.lock();
        loop {
            if let Some(job) = jobs.waiting.pop() {
                return Some(job);
            }
            if jobs.closed {
                return None;
            }
            self.changed.wait(&mut jobs);
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

#[cfg(test)]
mod tests {
    use quoting::AttestationKey;
    use sgx::{AttestationKeyId, QeReportInfo, Report};
    use std::sync::mpsc;

    use super::*;

    /// Makes a quote each time it is told to, which is as long as the buffer that was asked for.
    struct OneByOne(Mutex<mpsc::Receiver<()>>);

    impl Quoter for OneByOne {
        fn attestation_key_ids(&self) -> Result<Vec<AttestationKeyId>, QuotingError> {
            Ok(vec![AttestationKeyId::ecdsa_p256()])
        }

        fn initialize(&self, _: &AttestationKeyId) -> Result<AttestationKey, QuotingError> {
            Err(QuotingError::new(AesmError::AttKeyNotInitialized, "not in this test"))
        }

        fn quote_size(&self, _: &AttestationKeyId) -> Result<u32, QuotingError> {
            Ok(0)
        }

        fn quote(&self, _: &QuoteRequest) -> Result<QuoteReply, QuotingError> {
            self.0.lock().recv().unwrap();
            Ok(QuoteReply { quote: Vec::new(), qe_report_info: None })
        }
    }

    fn request() -> Box<QuoteRequest> {
        let qe_report_info: Option<QeReportInfo> = None;
        let key_id = AttestationKeyId::ecdsa_p256();
        Box::new(QuoteRequest { report: Report::default(), key_id, qe_report_info })
    }

    /// A queue with these limits, and what has it make one quote.
    fn queue(
        queued_quotes: usize,
        queued_quotes_per_caller: usize,
    ) -> (Arc<QuoteQueue>, mpsc::Sender<()>) {
        let limits = Limits {
            quoting_threads: 1,
            queued_quotes,
            queued_quotes_per_caller,
            ..Limits::default()
        };
        let (make_one, orders) = mpsc::channel();
        let quoter = Arc::new(OneByOne(Mutex::new(orders)));
        (Arc::new(QuoteQueue::start(quoter, &limits, Metrics::new("test")).unwrap()), make_one)
    }

    fn ask(queue: &Arc<QuoteQueue>, tenant: u64) -> tokio::task::JoinHandle<Outcome> {
        let queue = Arc::clone(queue);
        tokio::spawn(async move { queue.quote(request(), Flow { tenant, user: 0 }).await })
    }

    #[tokio::test]
    async fn the_newest_quote_of_the_largest_tenant_gives_way_in_a_full_queue() {
        let (queue, make_one) = queue(4, 4);
        let mut flood: Vec<_> = (0..4).map(|_| ask(&queue, 1)).collect();
        tokio::task::yield_now().await;
        let other = ask(&queue, 2);
        let newest = flood.pop().unwrap().await.unwrap();
        assert_eq!(newest.unwrap_err().code(), AesmError::Busy);
        (0..5).for_each(|_| make_one.send(()).unwrap());
        for quote in flood.into_iter().chain([other]) {
            quote.await.unwrap().unwrap();
        }
        assert_eq!(queue.places.open(), 0);
    }

    #[tokio::test]
    async fn a_flooding_caller_gets_its_quota_and_delays_nobody() {
        let (queue, make_one) = queue(100, 10);
        let flood: Vec<_> = (0..10).map(|_| ask(&queue, 1)).collect();
        tokio::task::yield_now().await;
        let beyond = ask(&queue, 1).await.unwrap().unwrap_err();
        assert_eq!(beyond.code(), AesmError::Busy);
        let other = ask(&queue, 2);
        tokio::task::yield_now().await;

        // One is being made, maybe another one is taken; then it is the other caller's turn.
        (0..3).for_each(|_| make_one.send(()).unwrap());
        other.await.unwrap().unwrap();
        assert!(flood.iter().filter(|quote| quote.is_finished()).count() <= 2);
        (0..8).for_each(|_| make_one.send(()).unwrap());
        for quote in flood {
            quote.await.unwrap().unwrap();
        }
        assert_eq!(queue.places.open(), 0);
    }
}
