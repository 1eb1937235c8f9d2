//! Clients that are served without being registered for notifications, which is not free.
//!
//! Most clients have sent their request when they are accepted, and close the connection as soon as
//! they have the reply. Only who is still there a moment later is waited for.

use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tracing::{debug, warn};

use crate::connection::{Connection, End, Need};
use crate::handler::Handler;
use crate::limits::Limits;
use crate::slots::Slot;
use crate::waiting::Waiting;

/// How long a client has to go by itself.
const MOMENT: Duration = Duration::from_millis(1);

/// All that connections share, and the clients that will mostly be gone in a moment.
pub(crate) struct Guests {
    handler: Handler,
    limits: Limits,
    stopping: watch::Receiver<bool>,
    leaving: Mutex<Vec<Guest>>,
    entered: Notify,
}

/// A client that is not registered for notifications.
pub(crate) struct Guest {
    pub(crate) stream: UnixStream,
    pub(crate) connection: Connection,
    pub(crate) need: Need,
    pub(crate) slot: Slot,
}

impl Guests {
    pub(crate) fn new(
        handler: Handler,
        limits: Limits,
        stopping: watch::Receiver<bool>,
    ) -> Arc<Self> {
        let leaving = Mutex::default();
        Arc::new(Self { handler, limits, stopping, leaving, entered: Notify::new() })
    }

    /// Serves a client as far as it goes without waiting for it.
    pub(crate) fn serve(self: &Arc<Self>, mut guest: Guest) {
        match guest.connection.advance(&guest.stream, &self.handler) {
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
            for mut guest in std::mem::take(&mut *self.leaving()) {
                match guest.connection.advance(&guest.stream, &self.handler) {
                    Ok(need) => {
                        guest.need = need;
                        self.wait(guest);
                    }
                    Err(end) => log(&end),
                }
            }
        }
    }

    /// Waits for a quote, and goes on.
    async fn quote(self: Arc<Self>, mut guest: Guest) {
        if let Need::Quote(order) = guest.need {
            guest.connection.reply(&self.handler.quote(*order).await);
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
        let Guest { stream, connection, need, slot } = guest;
        let guests = Arc::clone(self);
        tokio::spawn(async move {
            let Self { handler, limits, stopping, .. } = &*guests;
            match tokio::net::UnixStream::from_std(stream) {
                Ok(socket) => {
                    let stopping = stopping.clone();
                    Waiting { handler, limits, stopping }.serve(socket, connection, need).await;
                }
                Err(error) => warn!(%error, "cannot wait for a client; its connection is closed"),
            }
            drop(slot);
        });
    }

    fn leaving(&self) -> std::sync::MutexGuard<'_, Vec<Guest>> {
        self.leaving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn log(end: &End) {
    if !matches!(end, End::Closed) {
        debug!(reason = %end, "closing a connection");
    }
}
