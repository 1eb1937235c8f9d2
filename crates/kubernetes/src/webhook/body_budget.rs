//! A memory budget for bodies that are being received.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, oneshot};

/// Bytes of a permit.
const UNIT: usize = 1024;

/// A budget in bytes. If it is exhausted, a new body evicts those that have been arriving for
/// longest, so that slow clients delay only themselves.
pub(crate) struct BodyBudget {
    free: Arc<Semaphore>,
    /// Bodies that have not arrived, the oldest first.
    arriving: Mutex<VecDeque<PendingBody>>,
}

struct PendingBody {
    units: usize,
    evict: oneshot::Sender<()>,
}

/// Memory for a body, released on drop.
pub(crate) struct Reservation {
    permit: OwnedSemaphorePermit,
    evicted: oneshot::Receiver<()>,
}

impl BodyBudget {
    pub(crate) fn new(bytes: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(bytes / UNIT)), arriving: Mutex::default() }
    }

    /// Waits for memory for a body of this size. Waits forever if it exceeds the budget.
    pub(crate) async fn reserve(&self, size: usize) -> Reservation {
        let units = size.div_ceil(UNIT);
        self.evict_for(units).await;
        let free = Arc::clone(&self.free);
        let permits = free.acquire_many_owned(units.try_into().unwrap_or(u32::MAX));
        // The semaphore is never closed.
        let Ok(permit) = permits.await else { pending().await };
        let (evict, evicted) = oneshot::channel();
        self.arriving.lock().await.push_back(PendingBody { units, evict });
        Reservation { permit, evicted }
    }

    /// Evicts bodies that have not arrived until there is enough memory.
    async fn evict_for(&self, units: usize) {
        let mut arriving = self.arriving.lock().await;
        arriving.retain(|body| !body.evict.is_closed());
        let mut free = self.free.available_permits();
        while free < units
            && let Some(oldest) = arriving.pop_front()
        {
            free = free.saturating_add(oldest.units);
            // A body that has just arrived is not evicted.
            let _ = oldest.evict.send(());
        }
    }
}

impl Reservation {
    /// Ready when another body has taken this memory.
    pub(crate) async fn evicted(&mut self) {
        // The sender is dropped only after an eviction.
        let _ = (&mut self.evicted).await;
    }

    /// Ends the possibility of eviction, once the body has arrived.
    pub(crate) fn complete(self) -> OwnedSemaphorePermit {
        self.permit
    }
}
