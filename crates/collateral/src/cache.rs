//! Cache of fetched documents, on disk and in memory.

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

/// Interval of checks for a newer file of another process.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Maximum wait for a newer document than an expired one.
const MAX_WAIT_IF_EXPIRED: Duration = Duration::from_secs(2);
/// Maximum number of records in memory. When there are more, all are dropped.
const MAX_IN_MEMORY: usize = 4096;

/// Looks items up in memory, then on disk, and fetches those that it does not have.
///
/// Documents are checked before they are stored, and again when they are read from disk: a file may
/// have been written under another root, or by another user. Of all processes with the same
/// directory, one at a time fetches an item.
pub struct Cache {
    fetcher: Fetcher,
    directory: Option<CacheDirectory>,
    policy: RefreshPolicy,
    on_event: EventHandler,
    memory: Mutex<HashMap<String, InMemory>>,
    flights: SingleFlight<String, FetchError>,
}

struct InMemory {
    record: Arc<Record>,
    modified: Option<SystemTime>,
    looked: Instant,
}

struct Turn<'a> {
    _permit: Permit<'a, String, FetchError>,
    lock: Option<ItemLock>,
}

impl Turn<'_> {
    /// Tells if another process fetches the item, too.
    fn is_shared(&self) -> bool {
        matches!(self.lock, Some(ItemLock::Busy))
    }
}

impl Cache {
    /// A cache in this directory, or in memory alone, of documents from this fetcher.
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

    /// The record of an item, from the cache or else fetched. An expired one is returned if no
    /// newer one can be fetched.
    ///
    /// # Errors
    /// [`FetchError`] if it is not cached and no source has it.
    pub fn get(&self, item: &CollateralId) -> Result<Arc<Record>, FetchError> {
        let name = item.to_string();
        match self.cached(item, &name) {
            Some(kept) if self.has_expired(&kept) => Ok(self.newer(item, &name, kept)),
            Some(kept) => Ok(kept),
            None => self.fetch_first(item, &name),
        }
    }

    /// Tells if [`get`](Self::get) would fetch an item that is not cached, which it does not do
    /// right after a failure.
    #[must_use]
    pub fn would_fetch(&self, item: &CollateralId) -> bool {
        let name = item.to_string();
        self.cached(item, &name).is_none() && self.flights.recent_failure(&name).is_none()
    }

    /// The cached record of an item, whatever its age.
    #[must_use]
    pub fn peek(&self, item: &CollateralId) -> Option<Arc<Record>> {
        self.cached(item, &item.to_string())
    }

    /// Fetches and stores an item, even if it is cached.
    ///
    /// # Errors
    /// [`FetchError`]; the cached record stays.
    pub fn refresh(&self, item: &CollateralId) -> Result<Arc<Record>, FetchError> {
        let (name, deadline) = (item.to_string(), after(self.policy.max_wait));
        let _turn = self.turn(item, &name, deadline);
        self.fetch(item, &name, deadline)
    }

    /// Refreshes all items that [are due](Self::is_due).
    ///
    /// # Errors
    /// Those of the operating system about the directory. Failures to fetch are in the list.
    pub fn refresh_due(&self) -> io::Result<Vec<Result<Arc<Record>, FetchError>>> {
        let due = self.records()?.into_iter().filter(|record| self.is_due(record));
        let has_not_failed =
            |record: &Record| self.flights.recent_failure(&record.item.to_string()).is_none();
        Ok(due.filter(has_not_failed).map(|record| self.refresh(&record.item)).collect())
    }

    /// All valid records on disk.
    ///
    /// # Errors
    /// Those of the operating system about the directory.
    pub fn records(&self) -> io::Result<Vec<Record>> {
        let Some(directory) = &self.directory else { return Ok(Vec::new()) };
        Ok(directory.all()?.into_iter().filter_map(|kept| self.usable(kept)).collect())
    }

    /// Stores a record from elsewhere if it is valid and newer than the cached one, and tells if it
    /// was. The newer one has the newer [`Revision`], or the same and was fetched later.
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

    /// Removes the items for which `which` is true.
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

    /// The fetcher of documents that are not cached.
    #[must_use]
    pub fn fetcher(&self) -> &Fetcher {
        &self.fetcher
    }

    /// The directory on disk, if there is one.
    #[must_use]
    pub fn directory(&self) -> Option<&CacheDirectory> {
        self.directory.as_ref()
    }

    /// Tells if the record has expired, by its own dates or by the policy.
    #[must_use]
    pub fn has_expired(&self, record: &Record) -> bool {
        let life = match record.item {
            CollateralId::PckCertificate(_) => self.policy.pck_expires_after,
            _ => self.policy.collateral_expires_after,
        };
        let now = self.fetcher.now();
        now > record.validity.until || life.is_some_and(|life| self.age(record) > life)
    }

    /// Tells if the record should be refreshed: it is old, nine tenths of its validity are over, or
    /// it has expired.
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

    /// The cached record. The one in memory counts if the file has become unusable.
    fn cached(&self, item: &CollateralId, name: &str) -> Option<Arc<Record>> {
        let remembered = self.in_memory(item, name);
        if let Some((record, true)) = remembered {
            return Some(record);
        }
        match self.on_disk(item) {
            Some(record) => Some(self.remember(name, Arc::new(record))),
            None => remembered.map(|(record, _)| record),
        }
    }

    /// The record in memory, and whether the file is unchanged, which is not checked every time.
    fn in_memory(&self, item: &CollateralId, name: &str) -> Option<(Arc<Record>, bool)> {
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

    /// Fetches an item that is not cached. Other threads wait for the first one.
    fn fetch_first(&self, item: &CollateralId, name: &str) -> Result<Arc<Record>, FetchError> {
        let deadline = after(self.policy.max_wait);
        let _turn = self.turn(item, name, deadline);
        match (self.cached(item, name), self.flights.recent_failure(name)) {
            (Some(record), _) => Ok(record),
            (None, Some(error)) => Err(error),
            (None, None) => self.fetch(item, name, deadline),
        }
    }

    /// A newer record than an expired one, if it can be fetched soon and no other thread or process
    /// does so already.
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
        let max_wait = MAX_WAIT_IF_EXPIRED.min(self.policy.max_wait);
        self.fetch(item, name, after(max_wait)).unwrap_or_else(|error| {
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
        match (self.fetcher.fetch_acceptable(item, deadline, &accept), self.cached(item, name)) {
            (Ok((record, checked)), _) => {
                self.flights.forget_failure(name);
                if self.is_of_other_platform(&record) {
                    return Ok(self.reject_other_platform(item, name, record));
                }
                Ok(self.store(name, Arc::new(record), &checked))
            }
            // The cached record is newer than those of the sources.
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

    /// Checks that no newer document of the item was stored before under the same root.
    fn check_not_older(&self, item: &CollateralId, checked: &Checked) -> Result<(), CheckError> {
        let kept = self.peek(item).and_then(|kept| self.revision(&kept, &checked.root));
        checked.not_older_than(kept.max(self.newest(item, &checked.root))).map(drop)
    }

    /// The revision of a record, if it leads to this root.
    fn revision(&self, record: &Record, root: &[u8; 32]) -> Option<Revision> {
        let Record { item, document, fetched, .. } = record;
        let checked = inspect(item, document, self.fetcher.roots(), *fetched).ok()?;
        (checked.root == *root).then_some(checked.revision)
    }

    /// The newest revision that was ever stored on disk.
    fn newest(&self, item: &CollateralId, root: &[u8; 32]) -> Option<Revision> {
        let mark = self.directory.as_ref()?.newest(item, root);
        mark.unwrap_or_else(|error| {
            (self.on_event)(&Event::Unusable(error.to_string()));
            None
        })
    }

    /// Tells if a PCK certificate has another PPID than the cached ones for its QE id. The first
    /// one binds the QE id to a platform, and no source can change that.
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

    /// Returns the cached record, else the fetched one, which is not stored.
    fn reject_other_platform(
        &self,
        item: &CollateralId,
        name: &str,
        fetched: Record,
    ) -> Arc<Record> {
        let fetched = Arc::new(fetched);
        (self.on_event)(&Event::OtherPlatform(Arc::clone(&fetched)));
        self.cached(item, name).unwrap_or(fetched)
    }

    fn store(&self, name: &str, fetched: Arc<Record>, checked: &Checked) -> Arc<Record> {
        (self.on_event)(&Event::Fetched(Arc::clone(&fetched)));
        let written = self.directory.as_ref().map(|files| files.write(&fetched, checked));
        if let Some(Err(error)) = written {
            (self.on_event)(&Event::NotStored(error));
        }
        self.remember(name, fetched)
    }

    fn remember(&self, name: &str, record: Arc<Record>) -> Arc<Record> {
        let modified = self.modified(&record.item);
        let remembered = InMemory { record, modified, looked: Instant::now() };
        let record = Arc::clone(&remembered.record);
        let mut memory = lock(&self.memory);
        if memory.len() >= MAX_IN_MEMORY {
            memory.clear();
        }
        memory.insert(name.to_owned(), remembered);
        record
    }

    /// Waits until no other thread fetches the item; `None` if one does until the deadline. Waits
    /// for other processes half of the time only: one of them may hang, and the other half is
    /// needed to fetch the item here.
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

    /// The record of a file, if it was valid when it was fetched.
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

    /// Checks a stored document, also against the newest revision: somebody may have put back an
    /// old file, which is valid.
    fn inspect(&self, kept: &StoredRecord, fetched: SystemTime) -> Result<Checked, CheckError> {
        let checked = inspect(&kept.item, &kept.document, self.fetcher.roots(), fetched)?;
        checked.not_older_than(self.newest(&kept.item, &checked.root))
    }
}

/// A record that was not stored.
#[derive(Debug, thiserror::Error)]
pub enum InsertError {
    /// It is invalid.
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
