//! Answers that are ready to be sent.

use std::collections::HashMap;
use std::mem;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};

use crate::answer::Answer;
use crate::question::Key;

/// For how long an answer is sent before it is looked whether there is another one. Meanwhile the old one is sent.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How old an answer gets that nobody has asked for in between.
const FORGET_AFTER: Duration = Duration::from_secs(60);
/// How many answers are in memory at the most, in each of two generations: some 40 MB together.
const GENERATION: usize = 4096;

/// Answers that were given lately.
#[derive(Default)]
pub(crate) struct Memory {
    generations: Mutex<Generations>,
}

#[derive(Default)]
struct Generations {
    young: HashMap<Key, Remembered>,
    /// What was young before. What is asked for becomes young again; the rest goes with the next change.
    old: HashMap<Key, Remembered>,
}

#[derive(Clone)]
struct Remembered {
    answer: Answer,
    since: Instant,
    looked: Instant,
}

/// What is remembered.
pub(crate) enum Recollection {
    /// This is the answer.
    Fresh(Answer),
    /// This is the answer; but it is time, and up to the caller alone, to look for another one.
    Aging(Answer),
    /// Nothing.
    Nothing,
}

impl Memory {
    /// The answer, if it is there.
    pub(crate) fn recall(&self, key: &Key) -> Recollection {
        let mut generations = self.lock();
        if !generations.young.contains_key(key)
            && let Some(remembered) = generations.old.remove(key)
        {
            generations.insert(*key, remembered);
        }
        let Some(remembered) = generations.young.get_mut(key) else { return Recollection::Nothing };
        if remembered.since.elapsed() > FORGET_AFTER {
            generations.young.remove(key);
            return Recollection::Nothing;
        }
        let answer = remembered.answer.clone();
        if remembered.looked.elapsed() < LOOK_EVERY {
            return Recollection::Fresh(answer);
        }
        remembered.looked = Instant::now();
        Recollection::Aging(answer)
    }

    /// Remembers the answer, in place of an older one.
    pub(crate) fn remember(&self, key: Key, answer: Answer) {
        let now = Instant::now();
        self.lock().insert(key, Remembered { answer, since: now, looked: now });
    }

    /// Forgets all.
    pub(crate) fn clear(&self) {
        *self.lock() = Generations::default();
    }

    /// No panic happens while the lock is held.
    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.generations.lock()
    }
}

impl Generations {
    fn insert(&mut self, key: Key, remembered: Remembered) {
        if self.young.len() >= GENERATION {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(key, remembered);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u32) -> Key {
        let mut key = [0; 70];
        key[..4].copy_from_slice(&number.to_le_bytes());
        key
    }

    #[test]
    fn what_is_remembered_is_bounded_and_what_is_asked_for_stays() {
        let memory = Memory::default();
        for number in 0..10 * u32::try_from(GENERATION).unwrap() {
            memory.remember(key(number), Answer::text("x"));
            assert!(!matches!(memory.recall(&key(0)), Recollection::Nothing), "{number}");
        }
        let generations = memory.lock();
        assert!(generations.young.len() + generations.old.len() <= 2 * GENERATION);
    }

    #[test]
    fn one_caller_looks_for_another_answer() {
        let memory = Memory::default();
        memory.remember(key(1), Answer::text("x"));
        memory.lock().young.get_mut(&key(1)).unwrap().looked -= LOOK_EVERY;
        assert!(matches!(memory.recall(&key(1)), Recollection::Aging(_)));
        assert!(matches!(memory.recall(&key(1)), Recollection::Fresh(_)));
        memory.lock().young.get_mut(&key(1)).unwrap().since -= 2 * FORGET_AFTER;
        assert!(matches!(memory.recall(&key(1)), Recollection::Nothing));
    }

    #[test]
    fn what_is_forgotten_is_not_there() {
        let memory = Memory::default();
        memory.remember(key(1), Answer::text("x"));
        memory.clear();
        assert!(matches!(memory.recall(&key(1)), Recollection::Nothing));
    }
}
