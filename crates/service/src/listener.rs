//! Accepts connections, stops when told to, and then waits for what was accepted.

use std::future::Future;
use std::io::{self, ErrorKind};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::time::Duration;

use quoting::Quoter;
use rustix::net::{SocketFlags, accept_with};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::connection::{Connection, Need};
use crate::handler::Handler;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::slots::{Slot, Slots};
use crate::waiting::Waiting;

/// The pause after a failed accept, which mostly means that there is no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// At most so many new connections are served before older ones get their turn.
const BATCH: usize = 32;

/// Serves `quoter` to the clients of `listener` until `stop` is done. Then finishes the requests of
/// everybody who had connected by then.
///
/// # Errors
/// When the threads that make quotes cannot be started, or the runtime is at its end. Nothing that a
/// client does ends the service.
pub async fn serve(
    listener: UnixListener,
    quoter: Arc<dyn Quoter>,
    limits: Limits,
    metrics: Metrics,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let service = Service {
        listener: listener.try_clone()?,
        new_clients: tokio::net::UnixListener::from_std(listener)?,
        slots: Slots::new(limits.connections, metrics.connections.clone()),
        shared: Arc::new(Shared { handler: Handler::start(quoter, &limits, metrics)?, limits }),
        stopping: watch::Sender::new(false),
    };
    tokio::pin!(stop);
    let mut first = None;
    loop {
        let state = service.accept_batch(first.take()).await;
        tokio::select! {
            biased;
            () = &mut stop => break,
            client = service.wait(&state) => first = client,
        }
    }
    service.finish().await;
    Ok(())
}

struct Service {
    listener: UnixListener,
    /// The same listener, to wait for clients. What it accepts is registered with the kernel's
    /// notification facility, so it only accepts the first client after a pause.
    new_clients: tokio::net::UnixListener,
    slots: Slots,
    shared: Arc<Shared>,
    stopping: watch::Sender<bool>,
}

/// What all connections share.
struct Shared {
    handler: Handler,
    limits: Limits,
}

/// Why accepting came to a halt.
enum State {
    /// It was enough for now.
    Batch,
    /// There are no further clients.
    NoClient,
    /// There is no slot for a further client.
    NoSlot,
    /// The system says no.
    Failed(io::Error),
}

/// A client that has just been accepted.
struct Guest {
    stream: UnixStream,
    connection: Connection,
    need: Need,
    slot: Slot,
}

impl Service {
    /// Accepts clients and serves them.
    ///
    /// Most clients have sent their request when they are accepted, and close the connection as soon
    /// as they have the reply. They are served on the spot. Only who is still there when all others
    /// have been served gets a task, and is registered for notifications, which is not free.
    async fn accept_batch(&self, first: Option<UnixStream>) -> State {
        let mut guests = Vec::new();
        if let (Some(stream), Some(slot)) = (first, self.slots.take()) {
            guests.extend(self.welcome(stream, slot));
        }
        let mut accepted = 0..BATCH;
        let state = loop {
            if accepted.next().is_none() {
                break State::Batch;
            }
            let Some(slot) = self.slots.take() else { break State::NoSlot };
            match accept(&self.listener) {
                Ok(stream) => guests.extend(self.welcome(stream, slot)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break State::NoClient,
                Err(error) => break State::Failed(error),
            }
        };
        tokio::task::yield_now().await;
        guests.into_iter().for_each(|guest| self.see_off(guest));
        state
    }

    /// Waits until it makes sense to accept again, or until the next client is accepted.
    async fn wait(&self, state: &State) -> Option<UnixStream> {
        match state {
            State::Batch => tokio::task::yield_now().await,
            State::NoClient => {
                let (stream, _) = self.new_clients.accept().await.ok()?;
                return stream.into_std().ok();
            }
            State::NoSlot => self.slots.one_free().await,
            State::Failed(error) => {
                warn!(%error, "cannot accept a connection; trying again");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
        None
    }

    /// Serves a new client as far as it goes without waiting.
    fn welcome(&self, stream: UnixStream, slot: Slot) -> Option<Guest> {
        let mut connection = Connection::default();
        let need = connection.advance(&stream, &self.shared.handler).ok()?;
        Some(Guest { stream, connection, need, slot })
    }

    /// Gives a client that is still there a task of its own.
    fn see_off(&self, guest: Guest) {
        let Guest { stream, mut connection, mut need, slot } = guest;
        if matches!(need, Need::Request) {
            match connection.advance(&stream, &self.shared.handler) {
                Ok(next) => need = next,
                Err(_) => return,
            }
        }
        let (shared, stopping) = (Arc::clone(&self.shared), self.stopping.subscribe());
        let socket = match tokio::net::UnixStream::from_std(stream) {
            Ok(socket) => socket,
            Err(error) => {
                return warn!(%error, "cannot wait for a client; its connection is closed");
            }
        };
        tokio::spawn(async move {
            let Shared { handler, limits } = &*shared;
            Waiting { handler, limits, stopping }.serve(socket, connection, need).await;
            drop(slot);
        });
    }

    /// Serves whoever is still in the backlog, for they have connected, and waits for everybody.
    async fn finish(self) {
        self.stopping.send_replace(true);
        loop {
            let state = self.accept_batch(None).await;
            if matches!(state, State::NoClient) {
                break;
            }
            self.wait(&state).await;
        }
        drop((self.listener, self.new_clients));
        info!(connections = self.slots.taken(), "stopping: finishing what was accepted");
        self.slots.all_free().await;
    }
}

fn accept(listener: &UnixListener) -> io::Result<UnixStream> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    Ok(accept_with(listener, flags)?.into())
}
