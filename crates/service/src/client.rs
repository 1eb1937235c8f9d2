//! A client that is connected: who it is, and what it takes of what there is for all.

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Instant;

use crate::caller::{Caller, Callers};
use crate::share::{Share, Shares};
use crate::slots::Slot;

/// A client, until its connection ends.
pub(crate) struct Client {
    pub(crate) caller: Caller,
    pub(crate) share: Arc<Share>,
    /// Its place among the connections of its caller; `None` if the caller has too many.
    place: Option<Slot>,
    _slot: Slot,
}

/// Knows clients by their connections.
pub(crate) struct Clients {
    callers: Callers,
    pub(crate) shares: Shares,
}

impl Clients {
    pub(crate) fn new(shares: Shares) -> Self {
        Self { callers: Callers::default(), shares }
    }

    /// The client at the other end, which takes a slot.
    pub(crate) fn identify(&self, stream: &UnixStream, slot: Slot, now: Instant) -> Client {
        let caller = self.callers.identify(stream, now);
        let share = self.shares.of(caller.uid, caller.pod(), now);
        let place = share.connections.take();
        Client { caller, share, place, _slot: slot }
    }
}

impl Client {
    /// Whether its caller has no more connections than it may.
    pub(crate) fn is_within_share(&self) -> bool {
        self.place.is_some()
    }
}
