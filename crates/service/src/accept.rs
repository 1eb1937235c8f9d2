//! Accepts connections until told to stop, and then waits for those that were accepted.

use std::future::Future;
use std::io::{self, ErrorKind};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use quoting::ServedQuoter;
use rustix::net::{SocketFlags, accept_with};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::caller::Callers;
use crate::connection::Connections;
use crate::handler::Handler;
use crate::limits::ACCEPT_BATCH;
use crate::metrics::Metrics;
use crate::rules::Rules;

/// The pause after a failed accept, mostly for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The interval at which due lines of the audit log are written.
const AUDIT_INTERVAL: Duration = Duration::from_secs(1);

/// The reason why a service stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// The socket is closed: clients that have connected are accepted and served before the end.
    Closed,
    /// Another process has the same socket: clients that are not accepted yet are left to it.
    HandedOver,
}

/// Serves `quoter` to the clients of `listener` until `stop` completes. Then finishes the requests
/// on accepted connections and, if the socket is closed, accepts and serves the backlog. `stop` is
/// first polled after accepting once. `rules` may change meanwhile.
///
/// # Errors
/// When the listener cannot be registered with the runtime, or the runtime shuts down. No client
/// can cause an error.
pub async fn serve(
    listener: UnixListener,
    quoter: Arc<dyn ServedQuoter>,
    rules: watch::Receiver<Rules>,
    metrics: Metrics,
    stop: impl Future<Output = StopReason> + Send + 'static,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let callers = Callers::new(&rules.borrow().limits, &metrics.connections);
    let handler = Handler::new(quoter, rules.clone(), metrics);
    let stopping = watch::Sender::new(false);
    let connections = Connections::new(handler, callers, rules, stopping.subscribe());
    #[allow(deprecated, reason = "its successor is unsafe, for types that lie about what they own")]
    let listener = AsyncFd::new(listener)?;
    let service = Service { listener, connections, stopping };
    // Other tasks of this thread wake a task without a system call, unlike the runtime's main
    // future.
    tokio::spawn(service.run(stop)).await.map_err(io::Error::other)
}

struct Service {
    listener: AsyncFd<UnixListener>,
    connections: Arc<Connections>,
    stopping: watch::Sender<bool>,
}

/// The reason why a batch of accepts ended.
enum BatchEnd {
    Full,
    WouldBlock,
    Failed(io::Error),
}

impl Service {
    async fn run(self, stop: impl Future<Output = StopReason>) {
        let mut background = JoinSet::new();
        background.spawn(Arc::clone(&self.connections).close_lingering());
        background.spawn(write_audit_log(Arc::clone(&self.connections)));
        background.spawn(follow_limits(Arc::clone(&self.connections)));
        tokio::pin!(stop);
        let stop = loop {
            // Costs a system call only after the kernel has reported a client.
            let end = self.accept_batch(|| self.listener.try_io(Interest::READABLE, accept));
            tokio::select! {
                biased;
                stop = &mut stop => break stop,
                () = self.wait_after(&end) => {}
            }
        };
        self.finish(stop).await;
    }

    /// Accepts clients and serves them inline: most have sent their request by then.
    fn accept_batch(&self, accept: impl Fn() -> io::Result<UnixStream>) -> BatchEnd {
        // Held until the end of the batch, so that other callers get their turn.
        let mut turns = Vec::new();
        for _ in 0..ACCEPT_BATCH {
            match accept() {
                Ok(stream) => turns.extend(self.connections.accept(stream)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return BatchEnd::WouldBlock,
                Err(error) => return BatchEnd::Failed(error),
            }
        }
        BatchEnd::Full
    }

    /// Waits until it makes sense to accept again.
    async fn wait_after(&self, end: &BatchEnd) {
        match end {
            BatchEnd::Full => tokio::task::yield_now().await,
            // An error shows at the next accept.
            BatchEnd::WouldBlock => drop(self.listener.readable().await),
            BatchEnd::Failed(error) => {
                warn!(%error, "cannot accept a connection; retrying");
                // Most likely the limit on descriptors was lowered, or the system has none left.
                self.connections.callers.close_oldest_of_largest();
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }

    /// Waits for all connections and, unless another process has the socket, for the backlog.
    async fn finish(self, stop: StopReason) {
        self.stopping.send_replace(true);
        if stop == StopReason::Closed {
            self.empty_backlog().await;
        }
        drop(self.listener);
        let Connections { callers, handler, .. } = &*self.connections;
        info!(connections = callers.open(), "stopping: finishing accepted connections");
        callers.all_closed().await;
        handler.audit.finish();
    }

    async fn empty_backlog(&self) {
        loop {
            let end = self.accept_batch(|| accept(self.listener.get_ref()));
            match &end {
                BatchEnd::WouldBlock => return,
                // Another process that has the socket has shut it down.
                BatchEnd::Failed(error) if error.kind() == ErrorKind::InvalidInput => return,
                _ => {}
            }
            self.wait_after(&end).await;
        }
    }
}

fn accept(listener: &UnixListener) -> io::Result<UnixStream> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    Ok(accept_with(listener, flags)?.into())
}

async fn write_audit_log(connections: Arc<Connections>) {
    loop {
        tokio::time::sleep(AUDIT_INTERVAL).await;
        connections.handler.audit.flush(Instant::now());
    }
}

/// Applies changed limits, until the sender of the rules is gone.
async fn follow_limits(connections: Arc<Connections>) {
    let mut rules = connections.rules.clone();
    while rules.changed().await.is_ok() {
        let limits = rules.borrow_and_update().limits.clone();
        connections.callers.set_limits(&limits);
        connections.handler.set_limits(&limits);
    }
}
