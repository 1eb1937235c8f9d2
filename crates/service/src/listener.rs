//! Accepts connections, stops when told to, and then waits for what was accepted.

use std::future::Future;
use std::io::{self, ErrorKind};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::time::Duration;

use quoting::Quoter;
use rustix::net::{SocketFlags, accept_with};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::client::Clients;
use crate::guests::Guests;
use crate::handler::Handler;
use crate::metrics::Metrics;
use crate::rules::Rules;

/// The pause after a failed accept, which mostly means that there is no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// At most so many new connections are served before older ones get their turn. So many may be open beyond the limit, until
/// those that give way have noticed.
pub(crate) const BATCH: usize = 32;

/// Why a service stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// There is no socket any more: whoever has connected to it is served before the end.
    Closed,
    /// Somebody else has the same socket: whoever is not accepted yet is left to them.
    HandedOver,
}

/// Serves `quoter` to the clients of `listener` until `stop` is done. Then finishes the requests of
/// everybody who was accepted by then and, if the socket is closed, of everybody who had connected.
/// `stop` is looked at for the first time when clients are accepted. `rules` may change meanwhile.
///
/// # Errors
/// When the threads that make quotes cannot be started, or the runtime is at its end. Nothing that a
/// client does ends the service.
pub async fn serve(
    listener: UnixListener,
    quoter: Arc<dyn Quoter>,
    rules: watch::Receiver<Rules>,
    metrics: Metrics,
    stop: impl Future<Output = Stop> + Send + 'static,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let clients = Clients::new(&rules.borrow().limits, &metrics.connections);
    let handler = Handler::start(quoter, rules.clone(), metrics)?;
    let stopping = watch::Sender::new(false);
    let guests = Guests::new(handler, clients, rules, stopping.subscribe());
    #[allow(deprecated, reason = "its successor is unsafe, for types that lie about what they own")]
    let listener = AsyncFd::new(listener)?;
    let service = Service { listener, guests, stopping };
    // As a task it is woken by other tasks of this thread without the help of the kernel.
    tokio::spawn(service.run(stop)).await.map_err(io::Error::other)
}

struct Service {
    listener: AsyncFd<UnixListener>,
    guests: Arc<Guests>,
    stopping: watch::Sender<bool>,
}

/// Why accepting came to a halt.
enum State {
    /// It was enough for now.
    Batch,
    /// There are no further clients.
    NoClient,
    /// The system says no.
    Failed(io::Error),
}

impl Service {
    async fn run(self, stop: impl Future<Output = Stop>) {
        let seeing_off = tokio::spawn(Arc::clone(&self.guests).see_off());
        let logging = tokio::spawn(Arc::clone(&self.guests).log_quotes());
        let following = tokio::spawn(Arc::clone(&self.guests).follow_limits());
        tokio::pin!(stop);
        let stop = loop {
            // The kernel is asked only when it has said that there is somebody.
            let state = self.accept_batch(|| self.listener.try_io(Interest::READABLE, accept));
            tokio::select! {
                biased;
                stop = &mut stop => break stop,
                () = self.wait(&state) => {}
            }
        };
        self.finish(stop).await;
        seeing_off.abort();
        logging.abort();
        following.abort();
    }

    /// Accepts clients and serves them on the spot: most have sent their request by then.
    fn accept_batch(&self, accept: impl Fn() -> io::Result<UnixStream>) -> State {
        // Held until the end of the batch, after which others have their turn.
        let mut turns = Vec::new();
        for _ in 0..BATCH {
            match accept() {
                Ok(stream) => turns.extend(self.guests.welcome(stream)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return State::NoClient,
                Err(error) => return State::Failed(error),
            }
        }
        State::Batch
    }

    /// Waits until it makes sense to accept again.
    async fn wait(&self, state: &State) {
        match state {
            State::Batch => tokio::task::yield_now().await,
            // What comes of it is seen when accepting.
            State::NoClient => drop(self.listener.readable().await),
            State::Failed(error) => {
                warn!(%error, "cannot accept a connection; trying again");
                // The usual reason: somebody else has lowered the limit, or uses up the system's descriptors.
                self.guests.clients.close_oldest_of_largest();
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }

    /// Waits for everybody who was accepted, and accepts whoever has connected if nobody else will.
    async fn finish(self, stop: Stop) {
        self.stopping.send_replace(true);
        if stop == Stop::Closed {
            self.empty_backlog().await;
        }
        drop(self.listener);
        info!(connections = self.guests.clients.open(), "stopping: finishing what was accepted");
        self.guests.clients.all_closed().await;
        self.guests.log_last_quotes();
    }

    async fn empty_backlog(&self) {
        loop {
            let state = self.accept_batch(|| accept(self.listener.get_ref()));
            match &state {
                State::NoClient => return,
                // Another process that has the socket has shut it down.
                State::Failed(error) if error.kind() == ErrorKind::InvalidInput => return,
                _ => {}
            }
            self.wait(&state).await;
        }
    }
}

fn accept(listener: &UnixListener) -> io::Result<UnixStream> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    Ok(accept_with(listener, flags)?.into())
}
