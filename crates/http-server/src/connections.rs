//! Fair sharing of connections: one peer cannot lock the others out.
//!
//! Requests are unknown at accept time. So every new connection is accepted, and the peer with the
//! most connections loses the one that has been idle for longest. A connection is idle while no
//! request on it is in progress: after the accept, in the TLS handshake, while a request's head is
//! read, and between requests.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::oneshot;

use crate::peer::Peer;

/// Above this number, a new connection evicts an idle one.
const MAX_IDLE: usize = 256;
/// Above this number, a new connection evicts a busy one if the largest peer has no idle one.
pub(crate) const MAX_BUSY: usize = 512;

/// The open connections of one server. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Connections(Arc<Mutex<Table>>);

#[derive(Default)]
struct Table {
    open: HashMap<u64, Entry>,
    /// Counts accepts and changes between idle and busy; so it puts them in order.
    clock: u64,
}

struct Entry {
    peer: Peer,
    is_busy: bool,
    /// Time of the last change between idle and busy, by the table's clock.
    since: u64,
    /// Dropped with the entry, which closes the connection.
    _open: oneshot::Sender<Infallible>,
}

/// The slot of one connection, free again when dropped.
pub(crate) struct Slot {
    id: u64,
    connections: Connections,
}

/// Marks the connection as busy while a request is in progress.
pub(crate) struct Busy(Arc<Slot>);

/// Resolves when the connection has lost its slot.
pub(crate) type Evicted = oneshot::Receiver<Infallible>;

impl Connections {
    /// A slot for a connection of this peer. If there are too many, another connection is evicted.
    pub(crate) fn admit(&self, peer: Peer) -> (Slot, Evicted) {
        let (open, evicted) = oneshot::channel();
        let mut table = self.table();
        if let Some(id) = table.victim(peer) {
            table.open.remove(&id);
        }
        let id = table.tick();
        table.open.insert(id, Entry { peer, is_busy: false, since: id, _open: open });
        drop(table);
        (Slot { id, connections: self.clone() }, evicted)
    }

    /// Closes an idle connection, to free a descriptor. Returns `false` if there is none.
    pub(crate) fn close_idle(&self) -> bool {
        let mut table = self.table();
        let longest = table.longest_of_largest(None, false);
        longest.is_some_and(|id| table.open.remove(&id).is_some())
    }

    fn set_busy(&self, id: u64, is_busy: bool) {
        let mut table = self.table();
        let since = table.tick();
        if let Some(entry) = table.open.get_mut(&id) {
            (entry.is_busy, entry.since) = (is_busy, since);
        }
    }

    /// No panic happens while the lock is held.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock()
    }
}

impl Table {
    fn tick(&mut self) -> u64 {
        self.clock = self.clock.wrapping_add(1);
        self.clock
    }

    /// The connection to evict for a new one of this peer.
    fn victim(&self, newcomer: Peer) -> Option<u64> {
        match self.open.len() {
            ..MAX_IDLE => None,
            MAX_IDLE..MAX_BUSY => self.longest_of_largest(Some(newcomer), false),
            MAX_BUSY.. => self
                .longest_of_largest(Some(newcomer), false)
                .or_else(|| self.longest_of_largest(Some(newcomer), true)),
        }
    }

    /// The connection of the largest peers that has been idle or busy for longest.
    fn longest_of_largest(&self, newcomer: Option<Peer>, is_busy: bool) -> Option<u64> {
        let mut counts = HashMap::new();
        for peer in self.open.values().map(|entry| entry.peer).chain(newcomer) {
            let count: &mut usize = counts.entry(peer).or_default();
            *count = count.saturating_add(1);
        }
        let most = counts.values().copied().max()?;
        let of_largest =
            self.open.iter().filter(|(_, entry)| counts.get(&entry.peer) == Some(&most));
        let candidates = of_largest.filter(|(_, entry)| entry.is_busy == is_busy);
        candidates.min_by_key(|(_, entry)| entry.since).map(|(id, _)| *id)
    }
}

impl Slot {
    /// Marks the connection as busy.
    pub(crate) fn begin(self: &Arc<Self>) -> Busy {
        self.connections.set_busy(self.id, true);
        Busy(Arc::clone(self))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.connections.table().open.remove(&self.id);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.connections.set_busy(self.0.id, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: Peer = Peer::User(1);
    const OTHER: Peer = Peer::User(2);

    struct Client {
        slot: Arc<Slot>,
        evicted: Evicted,
    }

    impl Client {
        fn new(connections: &Connections, peer: Peer) -> Self {
            let (slot, evicted) = connections.admit(peer);
            Self { slot: Arc::new(slot), evicted }
        }

        fn is_open(&mut self) -> bool {
            self.evicted.try_recv() == Err(oneshot::error::TryRecvError::Empty)
        }
    }

    fn open(clients: &mut [Client]) -> usize {
        clients.iter_mut().filter_map(|client| client.is_open().then_some(())).count()
    }

    #[test]
    fn the_longest_idle_connection_of_the_largest_peer_is_evicted() {
        let connections = Connections::default();
        let mut other = Client::new(&connections, OTHER);
        let mut hostile: Vec<_> = (0..2000).map(|_| Client::new(&connections, HOSTILE)).collect();
        assert_eq!(open(&mut hostile), MAX_IDLE - 1);
        assert_eq!(open(&mut hostile[2000 - MAX_IDLE + 1..]), MAX_IDLE - 1);
        let mut newcomer = Client::new(&connections, Peer::User(3));
        assert!(other.is_open() && newcomer.is_open());
        assert_eq!(open(&mut hostile), MAX_IDLE - 2);
    }

    #[test]
    fn busy_connections_are_evicted_above_their_limit_only() {
        let connections = Connections::default();
        let mut clients: Vec<_> =
            (0..MAX_BUSY).map(|_| Client::new(&connections, HOSTILE)).take(MAX_IDLE).collect();
        let mut busy: Vec<_> = clients.iter().map(|client| client.slot.begin()).collect();
        for _ in MAX_IDLE..MAX_BUSY {
            let client = Client::new(&connections, HOSTILE);
            busy.push(client.slot.begin());
            clients.push(client);
        }
        assert_eq!(open(&mut clients), MAX_BUSY);
        let mut newcomer = Client::new(&connections, OTHER);
        assert!(newcomer.is_open());
        assert_eq!((open(&mut clients), clients[0].is_open()), (MAX_BUSY - 1, false));
        // An idle connection is evicted before busy ones.
        drop(busy.pop());
        let mut newcomer = Client::new(&connections, HOSTILE);
        assert!(newcomer.is_open());
        assert!(!clients[MAX_BUSY - 1].is_open() && clients[1].is_open());
    }

    #[test]
    fn a_slot_is_free_when_its_connection_ends() {
        let connections = Connections::default();
        let mut stays = Client::new(&connections, OTHER);
        for _ in 0..2 * MAX_BUSY {
            drop(Client::new(&connections, HOSTILE));
        }
        assert!(stays.is_open());
        assert!(connections.close_idle());
        assert!(!stays.is_open());
        assert!(!connections.close_idle());
    }
}
