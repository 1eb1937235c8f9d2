//! Clients that are served without being registered for notifications, which is not free.
//!
//! Most clients have sent their request when they are accepted, and close the connection as soon as
//! they have the reply. Only who is still there a moment later is waited for.

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tracing::{debug, warn};

use crate::client::{Client, Clients};
use crate::connection::{Connection, End, Need};
use crate::flows::Turn;
use crate::handler::Handler;
use crate::rules::Rules;
use crate::waiting::Waiting;

/// How long a client has to go by itself.
const MOMENT: Duration = Duration::from_millis(1);

/// How often it is looked what is to be logged.
const AUDIT_ROUND: Duration = Duration::from_secs(1);

/// All that connections share, and the clients that will mostly be gone in a moment.
pub(crate) struct Guests {
    handler: Handler,
    pub(crate) clients: Clients,
    rules: watch::Receiver<Rules>,
    stopping: watch::Receiver<bool>,
    leaving: Mutex<Vec<Guest>>,
    entered: Notify,
}

/// A client that is not registered for notifications.
struct Guest {
    stream: UnixStream,
    connection: Connection,
    need: Need,
    client: Client,
}

impl Guests {
    pub(crate) fn new(
        handler: Handler,
        clients: Clients,
        rules: watch::Receiver<Rules>,
        stopping: watch::Receiver<bool>,
    ) -> Arc<Self> {
        let (leaving, entered) = (Mutex::default(), Notify::new());
        Arc::new(Self { handler, clients, rules, stopping, leaving, entered })
    }

    /// Serves a client that has just connected. When callers have to take turns, its caller has had its turn while this
    /// is held; further clients of that caller wait for it.
    pub(crate) fn welcome(self: &Arc<Self>, stream: UnixStream) -> Option<Turn> {
        let now = Instant::now();
        let Some(client) = self.clients.identify(&stream, now) else {
            self.handler.count_refused_connection();
            return None;
        };
        let guest =
            Guest { stream, connection: Connection::default(), need: Need::Request, client };
        if !guest.client.is_within_quota() {
            self.handler.count_refused_connection();
        }
        if !self.clients.flows.are_contended(now) {
            self.serve(guest);
            return None;
        }
        let turn = guest.client.flow.try_turn();
        match turn {
            Some(_) => self.serve(guest),
            None => self.wait(guest),
        }
        turn
    }

    /// Serves a client as far as it goes without waiting for it.
    fn serve(self: &Arc<Self>, mut guest: Guest) {
        match guest.connection.advance(&guest.stream, &guest.client, &self.handler) {
            Ok(need) => guest.need = need,
            Err(end) => return log(&end),
        }
        match guest.need {
            Need::Quote(_) => drop(tokio::spawn(Arc::clone(self).quote(guest))),
            // Who has not asked yet is not about to leave, and must not wait for a moment to pass.
            Need::Request if guest.connection.requests > 0 => self.enter(guest),
            Need::Request | Need::Turn | Need::Room => self.wait(guest),
        }
    }

    /// Sees off, for ever, who is leaving: most are gone, and the others are waited for.
    pub(crate) async fn see_off(self: Arc<Self>) {
        loop {
            self.entered.notified().await;
            tokio::time::sleep(MOMENT).await;
            let leaving = std::mem::take(&mut *self.leaving());
            for mut guest in leaving {
                match guest.connection.advance(&guest.stream, &guest.client, &self.handler) {
                    Ok(need) => {
                        guest.need = need;
                        self.wait(guest);
                    }
                    Err(end) => log(&end),
                }
            }
        }
    }

    /// Has it logged, for ever, who has asked for quotes.
    pub(crate) async fn log_quotes(self: Arc<Self>) {
        loop {
            tokio::time::sleep(AUDIT_ROUND).await;
            self.handler.audit.flush(Instant::now());
        }
    }

    /// Puts changed limits in force, until nobody can change them any more.
    pub(crate) async fn follow_limits(self: Arc<Self>) {
        let mut rules = self.rules.clone();
        while rules.changed().await.is_ok() {
            let limits = rules.borrow_and_update().limits.clone();
            self.clients.set_limits(&limits);
            self.handler.set_limits(&limits);
        }
    }

    /// Has the rest of it logged, when everybody has gone.
    pub(crate) fn log_last_quotes(&self) {
        self.handler.audit.finish();
    }

    /// Waits for a quote, and goes on.
    async fn quote(self: Arc<Self>, mut guest: Guest) {
        if let Need::Quote(order) = guest.need {
            let response = self.handler.quote(*order, &guest.client).await;
            guest.connection.reply(&response);
            guest.need = Need::Room;
            self.serve(guest);
        }
    }

    fn enter(&self, guest: Guest) {
        self.leaving().push(guest);
        self.entered.notify_one();
    }

    /// Gives a client a task of its own.
    fn wait(self: &Arc<Self>, guest: Guest) {
        let Guest { stream, connection, need, mut client } = guest;
        client.lease.offer();
        let guests = Arc::clone(self);
        tokio::spawn(async move {
            let Self { handler, clients, rules, stopping, .. } = &*guests;
            match tokio::net::UnixStream::from_std(stream) {
                Ok(socket) => {
                    let stopping = stopping.clone();
                    let flows = &clients.flows;
                    let waiting = Waiting { handler, flows, client, rules, stopping };
                    waiting.serve(socket, connection, need).await;
                }
                Err(error) => warn!(%error, "cannot wait for a client; its connection is closed"),
            }
        });
    }

    fn leaving(&self) -> parking_lot::MutexGuard<'_, Vec<Guest>> {
        self.leaving.lock()
    }
}

fn log(end: &End) {
    if !matches!(end, End::Closed) {
        debug!(reason = %end, "closing a connection");
    }
}
