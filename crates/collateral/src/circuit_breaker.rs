//! A circuit breaker for each source: after a failure it is not asked for a while.

use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::backoff::{Backoff, Pause};
use crate::locks::lock;
use crate::{AttemptError, CollateralId, Document, Source, SourceError};

/// A source with a circuit for PCK certificates and one for collateral. Failures of the one say
/// nothing of the other: PCK certificates may need an API key, or have quotas.
pub(crate) struct CircuitBreaker {
    source: Box<dyn Source>,
    pck_certificates: Mutex<Circuit>,
    collateral: Mutex<Circuit>,
}

/// Open while the backoff is in a pause.
struct Circuit {
    backoff: Backoff,
    last_error: Option<SourceError>,
}

impl CircuitBreaker {
    /// A source that has not failed yet. The first pause takes about `first_pause`.
    pub(crate) fn new(source: Box<dyn Source>, first_pause: Duration) -> Self {
        let closed = || Mutex::new(Circuit::closed(Pause::Doubling(first_pause)));
        Self { source, pck_certificates: closed(), collateral: closed() }
    }

    pub(crate) fn name(&self) -> &str {
        self.source.name()
    }

    /// The time at which an open circuit closes.
    pub(crate) fn closes_at(&self, id: &CollateralId) -> Option<Instant> {
        self.circuit(id).backoff.until()
    }

    /// Asks the source, unless its circuit is open.
    pub(crate) fn fetch(
        &self,
        id: &CollateralId,
        deadline: Instant,
    ) -> Result<Document, AttemptError> {
        let open = self.circuit(id).open();
        if let Some((last, until)) = open {
            let wait = until.saturating_duration_since(Instant::now());
            return Err(AttemptError::BackingOff { last, wait });
        }
        let fetched = self.source.fetch(id, deadline);
        self.circuit(id).record(fetched.as_ref().err());
        Ok(fetched?)
    }

    fn circuit(&self, id: &CollateralId) -> MutexGuard<'_, Circuit> {
        match id {
            CollateralId::PckCertificate(_) => lock(&self.pck_certificates),
            _ => lock(&self.collateral),
        }
    }
}

impl Circuit {
    fn closed(pause: Pause) -> Self {
        Self { backoff: Backoff::new(pause), last_error: None }
    }

    fn open(&self) -> Option<(SourceError, Instant)> {
        Some((self.last_error.clone()?, self.backoff.until()?))
    }

    fn record(&mut self, error: Option<&SourceError>) {
        match error.filter(|error| error.opens_circuit()) {
            Some(error) => {
                self.backoff.fail(error.retry_after());
                self.last_error = Some(error.clone());
            }
            None => *self = Self::closed(self.backoff.pause()),
        }
    }
}
