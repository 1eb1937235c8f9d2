//! A queue that is served round-robin: one item of each tenant, and within a tenant one of each
//! user.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use quoting::Flow;

/// Queued items, each in a flow.
pub(super) struct FairQueue<T> {
    tenants: RoundRobin<u64, RoundRobin<u8, VecDeque<T>>>,
}

impl<T> Default for FairQueue<T> {
    fn default() -> Self {
        Self { tenants: RoundRobin::default() }
    }
}

impl<T> FairQueue<T> {
    pub(super) fn is_empty(&self) -> bool {
        self.tenants.is_empty()
    }

    /// Adds an item at the end of its flow.
    pub(super) fn push(&mut self, flow: Flow, item: T) {
        self.tenants.queue(flow.tenant).queue(flow.user).push_back(item);
    }

    /// Adds an item before all others, since it has waited before.
    pub(super) fn push_first(&mut self, flow: Flow, item: T) {
        self.tenants.first_queue(flow.tenant).first_queue(flow.user).push_front(item);
    }

    /// Removes the oldest item of the flow whose turn it is.
    pub(super) fn pop(&mut self) -> Option<T> {
        self.tenants.pop()
    }
}

/// A source of items.
trait Queue {
    type Item;

    fn pop(&mut self) -> Option<Self::Item>;
    fn is_empty(&self) -> bool;
}

impl<T> Queue for VecDeque<T> {
    type Item = T;

    fn pop(&mut self) -> Option<T> {
        self.pop_front()
    }

    fn is_empty(&self) -> bool {
        self.is_empty()
    }
}

/// Queues from which items are taken round-robin.
struct RoundRobin<K, Q> {
    /// The keys of the queues, once each, in the order of their turns.
    active: VecDeque<K>,
    /// Without empty queues.
    queues: HashMap<K, Q>,
}

impl<K, Q> Default for RoundRobin<K, Q> {
    fn default() -> Self {
        Self { active: VecDeque::new(), queues: HashMap::new() }
    }
}

impl<K: Copy + Eq + Hash, Q: Default> RoundRobin<K, Q> {
    /// The queue with this key; a new one has the last turn.
    fn queue(&mut self, key: K) -> &mut Q {
        self.queues.entry(key).or_insert_with(|| {
            self.active.push_back(key);
            Q::default()
        })
    }

    /// The queue with this key, which gets the next turn.
    fn first_queue(&mut self, key: K) -> &mut Q {
        self.active.retain(|other| *other != key);
        self.active.push_front(key);
        self.queues.entry(key).or_default()
    }
}

impl<K: Copy + Eq + Hash, Q: Queue> Queue for RoundRobin<K, Q> {
    type Item = Q::Item;

    fn pop(&mut self) -> Option<Q::Item> {
        let key = self.active.pop_front()?;
        let queue = self.queues.get_mut(&key)?;
        let item = queue.pop();
        if queue.is_empty() {
            self.queues.remove(&key);
        } else {
            self.active.push_back(key);
        }
        item
    }

    fn is_empty(&self) -> bool {
        self.active.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(tenant: u64, user: u8) -> Flow {
        Flow { tenant, user }
    }

    fn all(mut queue: FairQueue<&str>) -> Vec<&str> {
        std::iter::from_fn(|| queue.pop()).collect()
    }

    #[test]
    fn tenants_are_served_round_robin_and_each_keeps_its_order() {
        let mut queue = FairQueue::default();
        for item in ["a1", "a2", "a3", "a4"] {
            queue.push(flow(1, 0), item);
        }
        queue.push(flow(2, 0), "b1");
        queue.push(flow(3, 0), "c1");
        queue.push(flow(2, 0), "b2");
        assert_eq!(all(queue), ["a1", "b1", "c1", "a2", "b2", "a3", "a4"]);
    }

    #[test]
    fn users_share_the_turns_of_their_tenant() {
        let mut queue = FairQueue::default();
        for (user, items) in [(0, ["a0", "a1"]), (1, ["b0", "b1"]), (2, ["c0", "c1"])] {
            for item in items {
                queue.push(flow(1, user), item);
            }
        }
        for item in ["x", "y", "z"] {
            queue.push(flow(2, 0), item);
        }
        assert_eq!(all(queue), ["a0", "x", "b0", "y", "c0", "z", "a1", "b1", "c1"]);
    }

    #[test]
    fn a_returning_flow_waits_for_its_turn() {
        let mut queue = FairQueue::default();
        queue.push(flow(1, 0), "a1");
        queue.push(flow(2, 0), "b1");
        assert_eq!(queue.pop(), Some("a1"));
        queue.push(flow(1, 0), "a2");
        assert_eq!(all(queue), ["b1", "a2"]);
    }

    #[test]
    fn requeued_items_are_first() {
        let mut queue = FairQueue::default();
        queue.push(flow(1, 0), "a2");
        queue.push(flow(2, 0), "b1");
        queue.push(flow(3, 5), "c2");
        queue.push_first(flow(3, 6), "c1");
        queue.push_first(flow(1, 0), "a1");
        assert_eq!(all(queue), ["a1", "c1", "b1", "a2", "c2"]);
    }

    #[test]
    fn empty_flows_are_forgotten() {
        let mut queue = FairQueue::default();
        for number in 0..1_000 {
            queue.push(flow(number, (number % 7) as u8), number);
        }
        while queue.pop().is_some() {}
        assert!(queue.is_empty() && queue.tenants.queues.is_empty());
    }
}
