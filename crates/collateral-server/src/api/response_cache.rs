//! Recent responses, ready to be sent.

use std::collections::HashMap;
use std::mem;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};

use super::request::Key;
use super::response::CachedResponse;

/// Age at which a response is renewed in the background.
const STALE_AFTER: Duration = Duration::from_secs(1);
/// Age at which a response that was not renewed is dropped.
const DROP_AFTER: Duration = Duration::from_secs(60);
/// Maximum responses in each of two generations: some 40 MB together.
const GENERATION: usize = 4096;

/// Recent responses.
#[derive(Default)]
pub(crate) struct ResponseCache {
    generations: Mutex<Generations>,
}

#[derive(Default)]
struct Generations {
    young: HashMap<Key, Entry>,
    /// The previous young generation. A request moves its entry back to the young one; the others
    /// are dropped with the next change of generations.
    old: HashMap<Key, Entry>,
}

#[derive(Clone)]
struct Entry {
    response: CachedResponse,
    created: Instant,
    /// The last time that the response was found, or that a caller was told to renew it.
    checked: Instant,
}

/// The result of a look-up.
pub(crate) enum CacheLookup {
    Fresh(CachedResponse),
    /// The response may be sent; this caller alone is to renew it.
    Stale(CachedResponse),
    Miss,
}

impl ResponseCache {
    pub(crate) fn get(&self, key: &Key) -> CacheLookup {
        let mut generations = self.lock();
        if !generations.young.contains_key(key)
            && let Some(entry) = generations.old.remove(key)
        {
            generations.insert(*key, entry);
        }
        let Some(entry) = generations.young.get_mut(key) else { return CacheLookup::Miss };
        if entry.created.elapsed() > DROP_AFTER {
            generations.young.remove(key);
            return CacheLookup::Miss;
        }
        let response = entry.response.clone();
        if entry.checked.elapsed() < STALE_AFTER {
            return CacheLookup::Fresh(response);
        }
        entry.checked = Instant::now();
        CacheLookup::Stale(response)
    }

    /// Inserts or replaces a response.
    pub(crate) fn insert(&self, key: Key, response: CachedResponse) {
        let now = Instant::now();
        self.lock().insert(key, Entry { response, created: now, checked: now });
    }

    pub(crate) fn clear(&self) {
        *self.lock() = Generations::default();
    }

    /// No panic happens while the lock is held.
    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.generations.lock()
    }
}

impl Generations {
    fn insert(&mut self, key: Key, entry: Entry) {
        if self.young.len() >= GENERATION {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(key, entry);
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
    fn the_cache_is_bounded_and_keeps_requested_responses() {
        let cache = ResponseCache::default();
        for number in 0..10 * u32::try_from(GENERATION).unwrap() {
            cache.insert(key(number), CachedResponse::text("x"));
            assert!(!matches!(cache.get(&key(0)), CacheLookup::Miss), "{number}");
        }
        let generations = cache.lock();
        assert!(generations.young.len() + generations.old.len() <= 2 * GENERATION);
    }

    #[test]
    fn one_caller_renews_a_stale_response() {
        let cache = ResponseCache::default();
        cache.insert(key(1), CachedResponse::text("x"));
        cache.lock().young.get_mut(&key(1)).unwrap().checked -= STALE_AFTER;
        assert!(matches!(cache.get(&key(1)), CacheLookup::Stale(_)));
        assert!(matches!(cache.get(&key(1)), CacheLookup::Fresh(_)));
        cache.lock().young.get_mut(&key(1)).unwrap().created -= 2 * DROP_AFTER;
        assert!(matches!(cache.get(&key(1)), CacheLookup::Miss));
    }

    #[test]
    fn a_cleared_cache_is_empty() {
        let cache = ResponseCache::default();
        cache.insert(key(1), CachedResponse::text("x"));
        cache.clear();
        assert!(matches!(cache.get(&key(1)), CacheLookup::Miss));
    }
}
