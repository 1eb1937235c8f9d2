//! As many slots as there may be connections, or quotes that wait.

use std::sync::Arc;

use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The slots that are free, and the gauge that shows those that are taken.
pub(crate) struct Slots {
    semaphore: Arc<Semaphore>,
    number: u32,
    taken: Gauge,
}

/// The place of a connection or a quote, free again when this is dropped.
pub(crate) struct Slot {
    _permit: OwnedSemaphorePermit,
    taken: Gauge,
}

impl Slots {
    pub(crate) fn new(number: usize, taken: Gauge) -> Self {
        let number = u32::try_from(number).unwrap_or(u32::MAX).max(1);
        Self { semaphore: Arc::new(Semaphore::new(number as usize)), number, taken }
    }

    /// A slot, if one is free.
    pub(crate) fn take(&self) -> Option<Slot> {
        let permit = Arc::clone(&self.semaphore).try_acquire_owned().ok()?;
        self.taken.inc();
        Some(Slot { _permit: permit, taken: self.taken.clone() })
    }

    /// How many are taken.
    pub(crate) fn taken(&self) -> i64 {
        self.taken.get()
    }

    /// Waits until one is free.
    pub(crate) async fn one_free(&self) {
        let _ = self.semaphore.acquire().await;
    }

    /// Waits until all are free.
    pub(crate) async fn all_free(&self) {
        let _ = self.semaphore.acquire_many(self.number).await;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.taken.dec();
    }
}
