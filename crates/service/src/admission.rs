//! Admission of quotes that take time: bounded in all and for each tenant. A full queue is
//! `AESM_BUSY`.

use std::sync::Arc;

use quoting::{AsyncQuoter, Flow, QuoteReply, QuoteRequest, QuotingError};
use sgx::AesmError;

use crate::caller::{Exceeded, Quota, Quotas, Revoke};
use crate::limits::Limits;
use crate::metrics::{Exhausted, Metrics};

/// The places of queued quotes. The order in which they are made is the [`AsyncQuoter`]'s.
pub(crate) struct Admission {
    places: Arc<Quotas>,
    metrics: Metrics,
}

impl Admission {
    pub(crate) fn new(limits: &Limits, metrics: Metrics) -> Self {
        Self { places: Quotas::new(quota(limits), metrics.queued_quotes.clone()), metrics }
    }

    /// Applies these limits to new quotes.
    pub(crate) fn set_limits(&self, limits: &Limits) {
        self.places.set(quota(limits));
    }

    /// Waits for the quote. It is refused at once if the queue, or this tenant's part of it, is
    /// full, and later if the queue is full and a tenant with fewer quotes needs the place.
    ///
    /// # Errors
    /// The Quoter's, or `AESM_BUSY`.
    pub(crate) async fn quote(
        &self,
        quoter: &dyn AsyncQuoter,
        request: Box<QuoteRequest>,
        flow: Flow,
    ) -> Result<QuoteReply, QuotingError> {
        let mut place = self.places.acquire(flow).map_err(|exceeded| {
            self.busy(match exceeded {
                Exceeded::Tenant => Exhausted::QuotesOfCaller,
                Exceeded::Total => Exhausted::Quotes,
            })
        })?;
        place.make_revocable();
        tokio::select! {
            biased;
            result = quoter.quote(request, flow) => result,
            () = place.revoked() => Err(self.busy(Exhausted::QuotesOfCaller)),
        }
    }

    fn busy(&self, exhausted: Exhausted) -> QuotingError {
        self.metrics.refused_as_busy(exhausted);
        QuotingError::new(AesmError::Busy, exhausted.to_string())
    }
}

fn quota(limits: &Limits) -> Quota {
    Quota {
        total: limits.queued_quotes,
        per_tenant: limits.queued_quotes_per_caller,
        revoke: Revoke::Newest,
    }
}

#[cfg(test)]
mod tests {
    use quoting::FutureQuote;
    use sgx::{AttestationKeyId, Report};
    use tokio::sync::Semaphore;

    use super::*;

    /// Makes one quote for each permit, in the order of the requests.
    struct OneByOne(Arc<Semaphore>);

    impl AsyncQuoter for OneByOne {
        fn quote(&self, _: Box<QuoteRequest>, _: Flow) -> FutureQuote {
            let permits = Arc::clone(&self.0);
            Box::pin(async move {
                permits.acquire().await.unwrap().forget();
                Ok(QuoteReply { quote: Vec::new(), qe_report_info: None })
            })
        }
    }

    struct Queue {
        admission: Admission,
        permits: Arc<Semaphore>,
    }

    impl Queue {
        fn new(queued_quotes: usize, queued_quotes_per_caller: usize) -> Arc<Self> {
            let limits = Limits { queued_quotes, queued_quotes_per_caller, ..Limits::default() };
            let admission = Admission::new(&limits, Metrics::new("test"));
            Arc::new(Self { admission, permits: Arc::new(Semaphore::new(0)) })
        }

        fn ask(
            self: &Arc<Self>,
            tenant: u64,
        ) -> tokio::task::JoinHandle<Result<QuoteReply, QuotingError>> {
            let queue = Arc::clone(self);
            let request = Box::new(QuoteRequest {
                report: Report::default(),
                key_id: AttestationKeyId::ecdsa_p256(),
                qe_report_info: None,
            });
            tokio::spawn(async move {
                let quoter = OneByOne(Arc::clone(&queue.permits));
                queue.admission.quote(&quoter, request, Flow { tenant, user: 0 }).await
            })
        }
    }

    #[tokio::test]
    async fn a_full_queue_drops_the_newest_quote_of_the_largest_tenant() {
        let queue = Queue::new(4, 4);
        let mut flood: Vec<_> = (0..4).map(|_| queue.ask(1)).collect();
        tokio::task::yield_now().await;
        let other = queue.ask(2);
        let newest = flood.pop().unwrap().await.unwrap();
        assert_eq!(newest.unwrap_err().code(), AesmError::Busy);
        queue.permits.add_permits(4);
        for quote in flood.into_iter().chain([other]) {
            quote.await.unwrap().unwrap();
        }
        assert_eq!(queue.admission.places.open(), 0);
    }

    #[tokio::test]
    async fn a_tenant_at_its_quota_is_busy_and_others_are_admitted() {
        let queue = Queue::new(100, 10);
        let flood: Vec<_> = (0..10).map(|_| queue.ask(1)).collect();
        tokio::task::yield_now().await;
        let beyond = queue.ask(1).await.unwrap().unwrap_err();
        assert_eq!(beyond.code(), AesmError::Busy);
        let other = queue.ask(2);
        queue.permits.add_permits(11);
        for quote in flood.into_iter().chain([other]) {
            quote.await.unwrap().unwrap();
        }
        assert_eq!(queue.admission.places.open(), 0);
    }
}
