//! Sums of quotes, within bounds that no caller can break.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::{Duration, Instant};

use prometheus_client::metrics::counter::Counter;
use quoting::QuotingError;

use super::counters::Counters;
use super::key::Key;
use super::line::{Line, Sum, Whose};

/// The time between two lines about the same.
pub(super) const INTERVAL: Duration = Duration::from_secs(10);

/// Kinds of quotes that are told apart at a time.
pub(super) const KEYS: usize = 1_024;

/// Lines about new kinds in a second.
pub(super) const LINES: u32 = 50;

/// Users that are told apart when there are too many kinds of quotes.
pub(super) const USERS: usize = 256;

/// Each user gets at most half of the keys and of the lines, so that nobody can use them up.
const KEYS_OF_USER: usize = KEYS / 2;
const LINES_OF_USER: u32 = LINES / 2;

/// All that is not logged yet, and what is remembered of what was.
pub(super) struct Ledger {
    keys: HashMap<Key, Account>,
    users: HashMap<u32, User>,
    others: Pending,
    counters: Counters,
    /// Lines about new kinds since `second`.
    lines: u32,
    second: Instant,
}

/// Quotes of one kind.
struct Account {
    pending: Pending,
    reason: Option<Arc<str>>,
    counter: Counter,
}

/// The part of one user, and those of the user's quotes that are not told apart.
struct User {
    keys: usize,
    lines: u32,
    others: Pending,
}

/// Quotes that are not logged yet.
struct Pending {
    sum: Sum,
    /// When there was a line about them, or the first one came.
    since: Instant,
}

impl Ledger {
    pub(super) fn new(counters: Counters, now: Instant) -> Self {
        let others = Pending::new(now);
        let (keys, users) = (HashMap::new(), HashMap::new());
        Self { keys, users, others, counters, lines: 0, second: now }
    }

    /// Enters a quote, and says what is to be logged at once.
    pub(super) fn enter(
        &mut self,
        key: Key,
        error: Option<&QuotingError>,
        latency: Duration,
        now: Instant,
    ) -> Option<Line> {
        if let Some(account) = self.keys.get_mut(&key) {
            account.counter.inc();
            account.pending.sum.add(latency);
            return None;
        }
        let counter = self.counters.of(&key);
        counter.inc();
        self.begin_second(now);
        let full = self.keys.len() >= KEYS || self.lines >= LINES;
        let Some(user) = self.user(key.uid, now) else {
            self.others.add(latency, now);
            return None;
        };
        if full || user.keys >= KEYS_OF_USER || user.lines >= LINES_OF_USER {
            user.others.add(latency, now);
            return None;
        }
        user.keys = user.keys.saturating_add(1);
        user.lines = user.lines.saturating_add(1);
        self.lines = self.lines.saturating_add(1);
        let reason = error.map(|error| error.to_string().into());
        let account = Account { pending: Pending::new(now), reason, counter };
        let whose = account.whose(&key);
        self.keys.insert(key, account);
        Some(Line { whose, sum: Sum::of_one(latency) })
    }

    /// What has waited for long enough. What did not come again meanwhile is forgotten.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Line> {
        self.counters.see(now);
        self.take(now, |pending| pending.is_due(now))
    }

    /// All that is not logged yet, however short it has waited.
    pub(super) fn rest(&mut self) -> Vec<Line> {
        self.take(self.second, |_| true)
    }

    fn take(&mut self, now: Instant, is_due: impl Fn(&Pending) -> bool) -> Vec<Line> {
        let mut lines = Vec::new();
        self.keys.retain(|key, account| {
            if !is_due(&account.pending) {
                return true;
            }
            let sum = account.pending.take(now);
            if let Some(sum) = sum {
                lines.push(Line { whose: account.whose(key), sum });
            } else if let Some(user) = self.users.get_mut(&key.uid) {
                user.keys = user.keys.saturating_sub(1);
            }
            sum.is_some()
        });
        self.users.retain(|uid, user| {
            if !is_due(&user.others) {
                return true;
            }
            let sum = user.others.take(now);
            lines.extend(sum.map(|sum| Line { whose: Whose::User(*uid), sum }));
            sum.is_some() || user.keys > 0
        });
        if is_due(&self.others) {
            let sum = self.others.take(now);
            lines.extend(sum.map(|sum| Line { whose: Whose::Others, sum }));
        }
        lines
    }

    /// The part of this user, if it is one of those that have one.
    fn user(&mut self, uid: u32, now: Instant) -> Option<&mut User> {
        let full = self.users.len() >= USERS;
        match self.users.entry(uid) {
            Entry::Occupied(user) => Some(user.into_mut()),
            Entry::Vacant(_) if full => None,
            Entry::Vacant(place) => {
                Some(place.insert(User { keys: 0, lines: 0, others: Pending::new(now) }))
            }
        }
    }

    /// How much is remembered, in keys and users.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.keys.len().saturating_add(self.users.len())
    }

    fn begin_second(&mut self, now: Instant) {
        if now.saturating_duration_since(self.second) >= Duration::from_secs(1) {
            (self.second, self.lines) = (now, 0);
            self.users.values_mut().for_each(|user| user.lines = 0);
        }
    }
}

impl Account {
    fn whose(&self, key: &Key) -> Whose {
        Whose::Key { key: Box::new(key.clone()), reason: self.reason.clone() }
    }
}

impl Pending {
    fn new(since: Instant) -> Self {
        Self { sum: Sum::default(), since }
    }

    fn add(&mut self, latency: Duration, now: Instant) {
        if self.sum.quotes == 0 {
            self.since = now;
        }
        self.sum.add(latency);
    }

    fn is_due(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) >= INTERVAL
    }

    /// What is there, if anything; the next ones wait from now on.
    fn take(&mut self, now: Instant) -> Option<Sum> {
        self.since = now;
        let sum = std::mem::take(&mut self.sum);
        (sum.quotes > 0).then_some(sum)
    }
}
