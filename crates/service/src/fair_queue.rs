//! A queue in which those who ask take turns, however much one of them asks for.

use std::collections::{HashMap, VecDeque};

/// Things that wait, each for the asker with this number.
pub(crate) struct FairQueue<T> {
    /// Who has something that waits, once each, in the order of their turns.
    turns: VecDeque<u64>,
    waiting: HashMap<u64, VecDeque<T>>,
}

impl<T> Default for FairQueue<T> {
    fn default() -> Self {
        Self { turns: VecDeque::new(), waiting: HashMap::new() }
    }
}

impl<T> FairQueue<T> {
    pub(crate) fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// Lets something wait behind whatever else its asker waits for.
    pub(crate) fn push(&mut self, asker: u64, item: T) {
        let items = self.waiting.entry(asker).or_default();
        if items.is_empty() {
            self.turns.push_back(asker);
        }
        items.push_back(item);
    }

    /// Lets something wait before everything else, since it has waited already.
    pub(crate) fn push_first(&mut self, asker: u64, item: T) {
        self.turns.retain(|&other| other != asker);
        self.turns.push_front(asker);
        self.waiting.entry(asker).or_default().push_front(item);
    }

    /// What comes next: the oldest of the asker whose turn it is.
    pub(crate) fn pop(&mut self) -> Option<T> {
        let asker = self.turns.pop_front()?;
        let items = self.waiting.get_mut(&asker)?;
        let item = items.pop_front();
        if items.is_empty() {
            self.waiting.remove(&asker);
        } else {
            self.turns.push_back(asker);
        }
        item
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mut queue: FairQueue<&str>) -> Vec<&str> {
        std::iter::from_fn(|| queue.pop()).collect()
    }

    #[test]
    fn askers_take_turns_and_each_keeps_its_order() {
        let mut queue = FairQueue::default();
        for item in ["a1", "a2", "a3", "a4"] {
            queue.push(1, item);
        }
        queue.push(2, "b1");
        queue.push(3, "c1");
        queue.push(2, "b2");
        assert_eq!(all(queue), ["a1", "b1", "c1", "a2", "b2", "a3", "a4"]);
    }

    #[test]
    fn an_asker_that_comes_back_waits_for_its_turn() {
        let mut queue = FairQueue::default();
        queue.push(1, "a1");
        queue.push(2, "b1");
        assert_eq!(queue.pop(), Some("a1"));
        queue.push(1, "a2");
        assert_eq!(all(queue), ["b1", "a2"]);
    }

    #[test]
    fn what_has_waited_already_is_first() {
        let mut queue = FairQueue::default();
        queue.push(1, "a2");
        queue.push(2, "b1");
        queue.push(3, "c2");
        queue.push_first(3, "c1");
        queue.push_first(1, "a1");
        assert_eq!(all(queue), ["a1", "c1", "b1", "a2", "c2"]);
    }

    #[test]
    fn nobody_is_remembered_who_waits_for_nothing() {
        let mut queue = FairQueue::default();
        for asker in 0..1_000 {
            queue.push(asker, asker);
        }
        while queue.pop().is_some() {}
        assert!(queue.is_empty() && queue.waiting.is_empty());
    }
}
