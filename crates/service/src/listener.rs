//! Accepts connections, stops when told to, and then waits for what was accepted.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use quoting::Quoter;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use crate::connection::{self, Shared};
use crate::handler::Handler;
use crate::limits::Limits;
use crate::metrics::Metrics;

/// The pause after a failed accept, which mostly means that there is no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves `quoter` to the clients of `listener` until `stop` is done, then finishes the requests of
/// everybody who had connected by then.
///
/// # Errors
/// When the threads that make quotes cannot be started. Nothing that a client does ends the service.
pub async fn serve(
    listener: UnixListener,
    quoter: Arc<dyn Quoter>,
    limits: Limits,
    metrics: Metrics,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let slots = Slots::new(limits.connections);
    let handler = Handler::start(quoter, &limits)?;
    let shared = Arc::new(Shared { handler, limits, metrics });
    let (stopping, _) = watch::channel(false);
    let spawn = |stream, slot| {
        let (shared, stopping) = (Arc::clone(&shared), stopping.subscribe());
        tokio::spawn(async move {
            shared.metrics.connections.inc();
            connection::serve(stream, &shared, stopping).await;
            shared.metrics.connections.dec();
            drop(slot);
        });
    };
    tokio::pin!(stop);
    loop {
        tokio::select! {
            biased;
            () = &mut stop => break,
            (stream, slot) = accept(&listener, &slots) => spawn(stream, slot),
        }
    }
    // Who is in the backlog has connected, and counts as accepted.
    while let Ok((stream, slot)) = timeout(Duration::ZERO, accept(&listener, &slots)).await {
        spawn(stream, slot);
    }
    drop(listener);
    let _ = stopping.send(true);
    info!(connections = slots.taken(), "stopping: finishing what was accepted");
    slots.all_free().await;
    Ok(())
}

/// The next connection, once there is a slot for it.
async fn accept(listener: &UnixListener, slots: &Slots) -> (UnixStream, OwnedSemaphorePermit) {
    let slot = slots.take().await;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, slot),
            Err(error) => {
                warn!(%error, "cannot accept a connection; trying again");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// As many slots as there may be connections.
struct Slots {
    semaphore: Arc<Semaphore>,
    number: u32,
}

impl Slots {
    fn new(number: usize) -> Self {
        let number = u32::try_from(number).unwrap_or(u32::MAX).max(1);
        Self { semaphore: Arc::new(Semaphore::new(number as usize)), number }
    }

    async fn take(&self) -> OwnedSemaphorePermit {
        loop {
            // The semaphore is never closed.
            if let Ok(slot) = Arc::clone(&self.semaphore).acquire_owned().await {
                return slot;
            }
        }
    }

    fn taken(&self) -> usize {
        (self.number as usize).saturating_sub(self.semaphore.available_permits())
    }

    async fn all_free(&self) {
        let _ = self.semaphore.acquire_many(self.number).await;
    }
}
