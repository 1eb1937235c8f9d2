//! Connections that are served without being registered with the runtime, which costs time.
//!
//! Most clients have sent their request when they are accepted, and close the connection as soon as
//! they have the reply. Only those that stay longer get a [`ConnectionTask`].

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tracing::warn;

use super::exchange::{Exchange, Wants};
use super::task::ConnectionTask;
use crate::caller::{Callers, Client, Turn};
use crate::handler::Handler;
use crate::rules::Rules;

/// The time that a client has to close its connection after a reply.
const LINGER_TIME: Duration = Duration::from_millis(1);

/// The state that all connections share, and those that linger.
pub(crate) struct Connections {
    pub(crate) handler: Handler,
    pub(crate) callers: Callers,
    pub(crate) rules: watch::Receiver<Rules>,
    stopping: watch::Receiver<bool>,
    lingering: Mutex<Vec<LingeringConnection>>,
    lingers: Notify,
}

/// A connection that is not registered with the runtime.
struct LingeringConnection {
    stream: UnixStream,
    exchange: Exchange,
    client: Client,
}

impl Connections {
    pub(crate) fn new(
        handler: Handler,
        callers: Callers,
        rules: watch::Receiver<Rules>,
        stopping: watch::Receiver<bool>,
    ) -> Arc<Self> {
        let (lingering, lingers) = (Mutex::default(), Notify::new());
        Arc::new(Self { handler, callers, rules, stopping, lingering, lingers })
    }

    /// Serves a new connection. Under contention this is its caller's turn, until the result is
    /// dropped; further connections of that caller wait for the next one.
    pub(crate) fn accept(self: &Arc<Self>, stream: UnixStream) -> Option<Turn> {
        let now = Instant::now();
        let Some(client) = self.callers.admit(&stream, now) else {
            self.handler.count_refused_connection();
            return None;
        };
        if !client.within_quota() {
            self.handler.count_refused_connection();
        }
        let contended = self.callers.contended(now);
        let turn = if contended { client.flow.try_turn() } else { None };
        let connection = LingeringConnection { stream, exchange: Exchange::default(), client };
        match contended && turn.is_none() {
            true => self.spawn_task(connection, Wants::Read),
            false => self.serve(connection),
        }
        turn
    }

    /// Closes lingering connections, forever: most clients have closed theirs, and the others get a
    /// task.
    pub(crate) async fn close_lingering(self: Arc<Self>) {
        loop {
            self.lingers.notified().await;
            tokio::time::sleep(LINGER_TIME).await;
            let lingering = std::mem::take(&mut *self.lingering.lock());
            for connection in lingering {
                self.advance(connection, Self::spawn_task);
            }
        }
    }

    /// Serves a connection as far as possible without waiting.
    fn serve(self: &Arc<Self>, connection: LingeringConnection) {
        self.advance(connection, |connections, connection, wants| match wants {
            Wants::Quote(_) => drop(tokio::spawn(Arc::clone(connections).quote(connection, wants))),
            // A client that has not asked yet will not close, so it must not wait here.
            Wants::Read if connection.exchange.requests > 0 => connections.linger(connection),
            Wants::Read | Wants::Yield | Wants::Write => connections.spawn_task(connection, wants),
        });
    }

    fn advance(
        self: &Arc<Self>,
        mut connection: LingeringConnection,
        go_on: impl FnOnce(&Arc<Self>, LingeringConnection, Wants),
    ) {
        let LingeringConnection { stream, exchange, client } = &mut connection;
        match exchange.advance(stream, client, &self.handler) {
            Ok(wants) => go_on(self, connection, wants),
            Err(reason) => reason.log(client),
        }
    }

    /// Waits for a quote, and goes on.
    async fn quote(self: Arc<Self>, mut connection: LingeringConnection, wants: Wants) {
        if let Wants::Quote(quote) = wants {
            let response = self.handler.quote(*quote, &connection.client).await;
            connection.exchange.reply(&response);
            self.serve(connection);
        }
    }

    fn linger(&self, connection: LingeringConnection) {
        self.lingering.lock().push(connection);
        self.lingers.notify_one();
    }

    fn spawn_task(self: &Arc<Self>, connection: LingeringConnection, wants: Wants) {
        let LingeringConnection { stream, exchange, mut client } = connection;
        client.lease.make_revocable();
        let connections = Arc::clone(self);
        tokio::spawn(async move {
            let Self { handler, callers, rules, stopping, .. } = &*connections;
            match tokio::net::UnixStream::from_std(stream) {
                Ok(socket) => {
                    let stopping = stopping.clone();
                    let task = ConnectionTask { handler, callers, client, rules, stopping };
                    task.run(socket, exchange, wants).await;
                }
                Err(error) => warn!(%error, "closing a connection that cannot be registered"),
            }
        });
    }
}
