//! What was fetched, kept on disk and in memory.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use crate::backoff::FIRST_PAUSE;
use crate::cache_directory::ItemLock;
use crate::check::{Checked, inspect};
use crate::locks::lock;
use crate::record_file::StoredRecord;
use crate::{
    CacheDirectory, CheckError, CollateralId, Event, EventHandler, FetchError, Fetcher, Pause,
    PckContents, Permit, Record, RecordFileError, RefreshPolicy, Revision, SingleFlight,
};

/// How often it is looked whether another process has kept something newer.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long who asks waits for something newer than what has expired.
const PATIENCE_WITH_EXPIRED: Duration = Duration::from_secs(2);
/// How many records are in memory at the most, and how many failures; beyond that it begins anew.
const MAX_REMEMBERED: usize = 4096;

/// Answers from memory and disk at once; asks the sources for what is not there.
///
/// Nothing is kept that was not checked, and what is on disk is checked when it is read: it may have been written under
/// another root, or by somebody else. Of all processes with the same directory one at a time fetches an item.
pub struct Cache {
    fetcher: Fetcher,
    directory: Option<CacheDirectory>,
    policy: RefreshPolicy,
    on_event: EventHandler,
    memory: Mutex<HashMap<String, Remembered>>,
    flights: SingleFlight<String, FetchError>,
}

struct Remembered {
    record: Arc<Record>,
    modified: Option<SystemTime>,
    looked: Instant,
}

struct Turn<'a> {
    _permit: Permit<'a, String, FetchError>,
    lock: Option<ItemLock>,
}

impl Turn<'_> {
    /// Whether another process fetches the item, too.
    fn is_shared(&self) -> bool {
        matches!(self.lock, Some(ItemLock::Busy))
    }
}

impl Cache {
    /// A cache in this directory for what this fetcher fetches; without one, in memory alone.
    #[must_use]
    pub fn new(
        fetcher: Fetcher,
        directory: Option<CacheDirectory>,
        policy: RefreshPolicy,
        on_event: EventHandler,
    ) -> Self {
        Self {
            fetcher,
            directory,
            policy,
            on_event,
            memory: Mutex::default(),
            flights: SingleFlight::new(Pause::Doubling(FIRST_PAUSE)),
        }
    }

    /// The item: what is kept, else fetched. Something expired serves when there is nothing newer.
    ///
    /// # Errors
    /// [`FetchError`] when nothing is kept and no source has it.
    pub fn get(&self, item: &CollateralId) -> Result<Arc<Record>, FetchError> {
        let name = item.to_string();
        match self.kept(item, &name) {
            Some(kept) if self.has_expired(&kept) => Ok(self.newer(item, &name, kept)),
            Some(kept) => Ok(kept),
            None => self.fetch_first(item, &name),
        }
    }

    /// Whether [`get`](Self::get) would ask the sources for something that is not kept. It would not right after that has
    /// failed.
    #[must_use]
    pub fn would_fetch(&self, item: &CollateralId) -> bool {
        let name = item.to_string();
        self.kept(item, &name).is_none() && self.flights.recent_failure(&name).is_none()
    }

    /// What is kept of the item, whatever its age; nothing is fetched.
    #[must_use]
    pub fn peek(&self, item: &CollateralId) -> Option<Arc<Record>> {
        self.kept(item, &item.to_string())
    }

    /// Fetches the item, whatever is kept, and keeps it.
    ///
    /// # Errors
    /// [`FetchError`]; what is kept stays.
    pub fn refresh(&self, item: &CollateralId) -> Result<Arc<Record>, FetchError> {
        let (name, deadline) = (item.to_string(), after(self.policy.max_wait));
        let _turn = self.turn(item, &name, deadline);
        self.fetch(item, &name, deadline)
    }

    /// Fetches again what was kept some time ago, or is about to expire.
    ///
    /// # Errors
    /// Those of the operating system about the directory. What cannot be fetched is in the list.
    pub fn refresh_due(&self) -> io::Result<Vec<Result<Arc<Record>, FetchError>>> {
        let due = self.records()?.into_iter().filter(|record| self.is_due(record));
        let is_quiet =
            |record: &Record| self.flights.recent_failure(&record.item.to_string()).is_none();
        Ok(due.filter(is_quiet).map(|record| self.refresh(&record.item)).collect())
    }

    /// All that is kept on disk and can be used.
    ///
    /// # Errors
    /// Those of the operating system about the directory.
    pub fn records(&self) -> io::Result<Vec<Record>> {
        let Some(directory) = &self.directory else { return Ok(Vec::new()) };
        Ok(directory.all()?.into_iter().filter_map(|kept| self.usable(kept)).collect())
    }

    /// Keeps a record that was fetched elsewhere, if it holds and is newer than what is kept; says whether it is. Newer
    /// is what has the newer [`Revision`], and of two with the same one what was fetched later.
    ///
    /// # Errors
    /// [`InsertError`].
    pub fn insert(&self, record: &Record) -> Result<bool, InsertError> {
        let (roots, now) = (self.fetcher.roots(), self.fetcher.now());
        let checked = inspect(&record.item, &record.document, roots, now)?;
        if let Some(kept) = self.peek(&record.item) {
            let age = |revision, record: &Record| (revision, record.fetched);
            let newest = self.revision(&kept, &checked.root);
            if newest.is_some_and(|newest| age(newest, &kept) >= age(checked.revision, record)) {
                return Ok(false);
            }
        }
        self.check_not_older(&record.item, &checked)?;
        if let Some(directory) = &self.directory {
            directory.write(record, &checked)?;
        }
        self.remember(&record.item.to_string(), Arc::new(record.clone()));
        Ok(true)
    }

    /// Forgets the items that `which` chooses.
    ///
    /// # Errors
    /// Those of the operating system about the directory.
    pub fn clear(&self, which: impl Fn(&CollateralId) -> bool) -> io::Result<()> {
        lock(&self.memory).retain(|_, remembered| !which(&remembered.record.item));
        self.flights.forget_failures();
        let Some(directory) = self.directory.as_ref().filter(|files| files.path().is_dir()) else {
            return Ok(());
        };
        let kept = directory.all()?.into_iter().filter_map(Result::ok);
        kept.filter(|kept| which(&kept.item)).try_for_each(|kept| directory.remove(&kept.item))
    }

    /// The sources that are asked.
    #[must_use]
    pub fn fetcher(&self) -> &Fetcher {
        &self.fetcher
    }

    /// The files, if there are any.
    #[must_use]
    pub fn directory(&self) -> Option<&CacheDirectory> {
        self.directory.as_ref()
    }

    /// Whether who asks for it waits a little for something newer.
    #[must_use]
    pub fn has_expired(&self, record: &Record) -> bool {
        let life = match record.item {
            CollateralId::PckCertificate(_) => self.policy.pck_expires_after,
            _ => self.policy.collateral_expires_after,
        };
        let now = self.fetcher.now();
        now > record.validity.until || life.is_some_and(|life| self.age(record) > life)
    }

    /// Whether it is time to fetch it again: it is of some age, has lived nine tenths of its life, or has expired.
    #[must_use]
    pub fn is_due(&self, record: &Record) -> bool {
        let life = record.validity.until.duration_since(record.validity.from).unwrap_or_default();
        let left = record.validity.until.duration_since(self.fetcher.now()).unwrap_or_default();
        left.saturating_mul(10) < life
            || self.age(record) > self.policy.refresh_after
            || self.has_expired(record)
    }

    fn age(&self, record: &Record) -> Duration {
        self.fetcher.now().duration_since(record.fetched).unwrap_or_default()
    }

    /// What is kept, in memory or on disk. What is in memory serves on when what is on disk has become unusable.
    fn kept(&self, item: &CollateralId, name: &str) -> Option<Arc<Record>> {
        let remembered = self.remembered(item, name);
        if let Some((record, true)) = remembered {
            return Some(record);
        }
        match self.on_disk(item) {
            Some(record) => Some(self.remember(name, Arc::new(record))),
            None => remembered.map(|(record, _)| record),
        }
    }

    /// What is in memory, and whether it is still what is on disk. It is not always looked.
    fn remembered(&self, item: &CollateralId, name: &str) -> Option<(Arc<Record>, bool)> {
        let mut memory = lock(&self.memory);
        let remembered = memory.get_mut(name)?;
        let record = Arc::clone(&remembered.record);
        if remembered.looked.elapsed() < LOOK_EVERY {
            return Some((record, true));
        }
        remembered.looked = Instant::now();
        let modified = self.modified(item);
        Some((record, modified.is_none() || modified == remembered.modified))
    }

    /// What is not kept yet. Of all who ask one fetches it, and the others wait for that.
    fn fetch_first(&self, item: &CollateralId, name: &str) -> Result<Arc<Record>, FetchError> {
        let deadline = after(self.policy.max_wait);
        let _turn = self.turn(item, name, deadline);
        match (self.kept(item, name), self.flights.recent_failure(name)) {
            (Some(record), _) => Ok(record),
            (None, Some(error)) => Err(error),
            (None, None) => self.fetch(item, name, deadline),
        }
    }

    /// Something newer than what has expired, if it is to be had soon and nobody else is about to fetch it.
    fn newer(&self, item: &CollateralId, name: &str, expired: Arc<Record>) -> Arc<Record> {
        if self.flights.recent_failure(name).is_some() {
            return expired;
        }
        let turn = self.turn(item, name, Instant::now());
        if turn.as_ref().is_none_or(Turn::is_shared) {
            return expired;
        }
        let found = self.on_disk(item).filter(|record| record.fetched > expired.fetched);
        if let Some(record) = found {
            return self.remember(name, Arc::new(record));
        }
        let patience = PATIENCE_WITH_EXPIRED.min(self.policy.max_wait);
        self.fetch(item, name, after(patience)).unwrap_or_else(|error| {
            (self.on_event)(&Event::Expired(error));
            expired
        })
    }

    fn fetch(
        &self,
        item: &CollateralId,
        name: &str,
        deadline: Instant,
    ) -> Result<Arc<Record>, FetchError> {
        let accept = |checked: &Checked| self.check_not_older(item, checked);
        match (self.fetcher.fetch_acceptable(item, deadline, &accept), self.kept(item, name)) {
            (Ok((record, checked)), _) => {
                self.flights.forget_failure(name);
                if self.is_of_other_platform(&record) {
                    return Ok(self.not_bound(item, name, record));
                }
                Ok(self.take(name, Arc::new(record), &checked))
            }
            // Sources that are behind are no failure while there is something newer.
            (Err(error), Some(kept)) if error.has_older() => {
                self.flights.forget_failure(name);
                Ok(kept)
            }
            (Err(error), _) => {
                self.flights.record_failure(name.to_owned(), error.clone());
                Err(error)
            }
        }
    }

    /// Checks that nothing newer of the item was ever kept under the same root.
    fn check_not_older(&self, item: &CollateralId, checked: &Checked) -> Result<(), CheckError> {
        let kept = self.peek(item).and_then(|kept| self.revision(&kept, &checked.root));
        checked.not_older_than(kept.max(self.mark(item, &checked.root))).map(drop)
    }

    /// How new a record is, if it leads to this root.
    fn revision(&self, record: &Record, root: &[u8; 32]) -> Option<Revision> {
        let Record { item, document, fetched, .. } = record;
        let checked = inspect(item, document, self.fetcher.roots(), *fetched).ok()?;
        (checked.root == *root).then_some(checked.revision)
    }

    /// The newest revision that was ever on disk, whether or not the record still is.
    fn mark(&self, item: &CollateralId, root: &[u8; 32]) -> Option<Revision> {
        let mark = self.directory.as_ref()?.newest(item, root);
        mark.unwrap_or_else(|error| {
            (self.on_event)(&Event::Unusable(error.to_string()));
            None
        })
    }

    /// Whether a PCK certificate is of another platform, by its PPID, than those that are kept for its QE id. A source is
    /// believed once which platform that is, and takes nobody to another one.
    fn is_of_other_platform(&self, record: &Record) -> bool {
        let CollateralId::PckCertificate(question) = &record.item else { return false };
        let is_of_qe = |item: &CollateralId| matches!(item, CollateralId::PckCertificate(other) if other.is_of_same_qe(question));
        let ppid =
            |record: &Record| PckContents::read(&record.document.body).ok().map(|pck| pck.ppid);
        let is_other = |kept: &Record| is_of_qe(&kept.item) && ppid(kept) != ppid(record);
        let is_in_memory = lock(&self.memory).values().any(|kept| is_other(&kept.record));
        let files = self.directory.as_ref().and_then(|directory| directory.all().ok());
        let mut files =
            files.into_iter().flatten().filter_map(Result::ok).filter(|kept| is_of_qe(&kept.item));
        is_in_memory || files.any(|kept| self.usable(Ok(kept)).is_some_and(|kept| is_other(&kept)))
    }

    /// What was fetched is the answer if there is no other one, but is not kept.
    fn not_bound(&self, item: &CollateralId, name: &str, fetched: Record) -> Arc<Record> {
        let fetched = Arc::new(fetched);
        (self.on_event)(&Event::OtherPlatform(Arc::clone(&fetched)));
        self.kept(item, name).unwrap_or(fetched)
    }

    fn take(&self, name: &str, fetched: Arc<Record>, checked: &Checked) -> Arc<Record> {
        (self.on_event)(&Event::Fetched(Arc::clone(&fetched)));
        let written = self.directory.as_ref().map(|files| files.write(&fetched, checked));
        if let Some(Err(error)) = written {
            (self.on_event)(&Event::NotStored(error));
        }
        self.remember(name, fetched)
    }

    fn remember(&self, name: &str, record: Arc<Record>) -> Arc<Record> {
        let modified = self.modified(&record.item);
        let remembered = Remembered { record, modified, looked: Instant::now() };
        let record = Arc::clone(&remembered.record);
        let mut memory = lock(&self.memory);
        if memory.len() >= MAX_REMEMBERED {
            memory.clear();
        }
        memory.insert(name.to_owned(), remembered);
        record
    }

    /// The turn to fetch the item: nobody else in this process does. `None` if somebody does until the deadline. Other
    /// processes with this directory have half of the time to come to an end: one of them may hang, and whoever has
    /// waited for it needs the other half to fetch the item by himself.
    fn turn(&self, item: &CollateralId, name: &str, deadline: Instant) -> Option<Turn<'_>> {
        let permit = self.flights.acquire(name.to_owned(), deadline)?;
        let left = deadline.saturating_duration_since(Instant::now());
        let half = after(left.checked_div(2).unwrap_or_default());
        let lock = self.directory.as_ref().map(|directory| directory.lock(item, half));
        Some(Turn { _permit: permit, lock })
    }

    fn modified(&self, item: &CollateralId) -> Option<SystemTime> {
        self.directory.as_ref()?.modified(item)
    }

    fn on_disk(&self, item: &CollateralId) -> Option<Record> {
        self.usable(self.directory.as_ref()?.read(item).transpose()?)
    }

    /// What was read from disk, if it held when it was fetched.
    fn usable(&self, kept: Result<StoredRecord, RecordFileError>) -> Option<Record> {
        let unusable = |reason: String| (self.on_event)(&Event::Unusable(reason));
        let kept = kept.inspect_err(|error| unusable(error.to_string())).ok()?;
        let fetched = kept.fetched.into();
        match self.inspect(&kept, fetched) {
            Ok(Checked { validity, .. }) => {
                let StoredRecord { item, document, source, .. } = kept;
                Some(Record { item, document, validity, fetched, source })
            }
            Err(error) => {
                unusable(format!("{} of the cache is not used: {error}", kept.item));
                None
            }
        }
    }

    /// What the file says that holds. An older file in the place of a newer one holds, too, but for the mark.
    fn inspect(&self, kept: &StoredRecord, fetched: SystemTime) -> Result<Checked, CheckError> {
        let checked = inspect(&kept.item, &kept.document, self.fetcher.roots(), fetched)?;
        checked.not_older_than(self.mark(&kept.item, &checked.root))
    }
}

/// A record is not kept.
#[derive(Debug, thiserror::Error)]
pub enum InsertError {
    /// It does not hold.
    #[error(transparent)]
    Check(#[from] crate::CheckError),
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] RecordFileError),
}

fn after(time: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(time).unwrap_or(now)
}
