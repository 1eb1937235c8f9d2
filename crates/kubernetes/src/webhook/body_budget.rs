//! Memory for bodies that are on their way, over all requests.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, oneshot};

/// Permits are for so many bytes.
const UNIT: usize = 1024;

/// A budget in bytes that bodies share. When it is used up, a new body takes the reservation of those that have been
/// arriving for the longest time: a client that sends slowly delays nobody but itself.
pub(crate) struct BodyBudget {
    free: Arc<Semaphore>,
    /// The bodies that have not arrived, the oldest first.
    arriving: Mutex<VecDeque<PendingBody>>,
}

struct PendingBody {
    units: usize,
    evict: oneshot::Sender<()>,
}

/// Reservation for a body. It is free again when this is dropped.
pub(crate) struct Reservation {
    permit: OwnedSemaphorePermit,
    evicted: oneshot::Receiver<()>,
}

impl BodyBudget {
    pub(crate) fn new(bytes: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(bytes / UNIT)), arriving: Mutex::default() }
    }

    /// Reservation for a body of this size, as soon as there is any. One that is larger than the budget never gets any.
    pub(crate) async fn reserve(&self, size: usize) -> Reservation {
        let units = size.div_ceil(UNIT);
        self.evict_for(units).await;
        let free = Arc::clone(&self.free);
        let permits = free.acquire_many_owned(units.try_into().unwrap_or(u32::MAX));
        // Nobody closes the semaphore.
        let Ok(permit) = permits.await else { pending().await };
        let (evict, evicted) = oneshot::channel();
        self.arriving.lock().await.push_back(PendingBody { units, evict });
        Reservation { permit, evicted }
    }

    /// Evicts as many bodies that have not arrived as it takes, if there are so many.
    async fn evict_for(&self, units: usize) {
        let mut arriving = self.arriving.lock().await;
        arriving.retain(|body| !body.evict.is_closed());
        let mut free = self.free.available_permits();
        while free < units
            && let Some(oldest) = arriving.pop_front()
        {
            free = free.saturating_add(oldest.units);
            // One that has arrived just now is not evicted.
            let _ = oldest.evict.send(());
        }
    }
}

impl Reservation {
    /// Ready when another body gets this one's reservation.
    pub(crate) async fn evicted(&mut self) {
        // Whoever could send has forgotten this body only after that.
        let _ = (&mut self.evicted).await;
    }

    /// The body has arrived, and is not evicted any more.
    pub(crate) fn complete(self) -> OwnedSemaphorePermit {
        self.permit
    }
}
