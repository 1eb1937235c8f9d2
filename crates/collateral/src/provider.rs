//! Collateral for any number of quotes from one place.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant, SystemTime};

use sgx::Collateral;
use verify::Validity;

use crate::collateral_file::{CollateralFile, find};
use crate::settings::{Settings, SourceSettings};
use crate::{
    Cache, CollateralFileError, CollateralId, Document, EventHandler, OpenError,
    QuoteCollateralError, Record, Source, SourceError, TcbUpdate, for_quote,
};

/// The maximum number of remembered items; beyond it all are forgotten.
const MAX_REMEMBERED: usize = 4096;

/// Collateral for any number of quotes from a file, from sources, or from a cache. Each item is
/// requested once, and a source that fails is not asked again.
pub struct CollateralProvider {
    backing: Backing,
    tcb_update: TcbUpdate,
    /// The results so far, by the name of the item; an error is the reason.
    known: HashMap<String, Result<Document, String>>,
    /// The records that were used, by the name of the item; `None` unless they are recorded.
    used: Option<BTreeMap<String, Record>>,
}

enum Backing {
    File(CollateralFile),
    /// Sources, and the timeout of a request to all of them.
    Sources(Vec<PolledSource>, Duration),
    /// A cache, and the error after which its sources are not asked again.
    Cache(Box<Cache>, Option<String>),
}

/// A source, and the error after which it is not asked again.
struct PolledSource {
    source: Box<dyn Source>,
    down: Option<SourceError>,
}

impl CollateralProvider {
    /// The collateral in the contents of a file: a bundle, or the JSON of [`Collateral`]. Nothing
    /// is checked.
    ///
    /// # Errors
    /// [`CollateralFileError`] for any other contents.
    pub fn of_file(bytes: &[u8]) -> Result<Self, CollateralFileError> {
        let backing = Backing::File(CollateralFile::parse(bytes)?);
        Ok(Self::new(backing, TcbUpdate::Standard))
    }

    /// The collateral of the sources; nothing is checked or cached.
    ///
    /// # Errors
    /// [`OpenError`] when a source cannot be used.
    pub fn of_sources(settings: &Settings) -> Result<Self, OpenError> {
        let sources: Vec<_> =
            settings.sources.iter().map(SourceSettings::open).collect::<Result<_, _>>()?;
        let sources = sources.into_iter().map(|source| PolledSource { source, down: None });
        let backing = Backing::Sources(sources.collect(), settings.timeout);
        Ok(Self::new(backing, settings.evaluation))
    }

    /// The collateral of the cache and its sources, without retries.
    ///
    /// # Errors
    /// [`OpenError`] when the cache cannot be used.
    pub fn of_cache(mut settings: Settings, on_event: EventHandler) -> Result<Self, OpenError> {
        settings.retry.times = 0;
        let cache = Cache::open(&settings, on_event)?;
        Ok(Self::new(Backing::Cache(Box::new(cache), None), settings.evaluation))
    }

    fn new(backing: Backing, tcb_update: TcbUpdate) -> Self {
        Self { backing, tcb_update, known: HashMap::new(), used: None }
    }

    /// Records from now on the items that are used, for [`used`](Self::used).
    pub fn record_used(&mut self) {
        self.used = Some(BTreeMap::new());
    }

    /// The items that were used since [`record_used`](Self::record_used).
    #[must_use]
    pub fn used(self) -> Vec<Record> {
        self.used.unwrap_or_default().into_values().collect()
    }

    /// The collateral for this quote.
    ///
    /// # Errors
    /// [`QuoteCollateralError`]; that of an item is its reason.
    pub fn for_quote(&mut self, quote: &[u8]) -> Result<Collateral, QuoteCollateralError<String>> {
        if let Backing::File(CollateralFile::Json(collateral)) = &self.backing {
            return Ok((**collateral).clone());
        }
        for_quote(quote, self.tcb_update, |item| self.get(item))
    }

    fn get(&mut self, item: &CollateralId) -> Result<Document, String> {
        let name = item.to_string();
        if let Some(known) = self.known.get(&name) {
            return known.clone();
        }
        let found = self.backing.get(item);
        if self.known.len() >= MAX_REMEMBERED {
            self.known.clear();
        }
        let document = found.map(|record| {
            let document = record.document.clone();
            if let Some(used) = &mut self.used {
                used.insert(name.clone(), record);
            }
            document
        });
        self.known.insert(name, document.clone());
        document
    }
}

impl Backing {
    /// The item, or the reason for its absence.
    fn get(&mut self, item: &CollateralId) -> Result<Record, String> {
        match self {
            Self::File(CollateralFile::Json(_)) => Err(format!("{item} is not in the file")),
            Self::File(CollateralFile::Bundle(documents)) => match find(documents, item) {
                Some(document) => Ok(record(item, document.clone(), "a bundle")),
                None => Err(format!(
                    "the bundle has no {item}; export one where such a quote was verified"
                )),
            },
            Self::Sources(sources, timeout) => ask_each(sources, item, *timeout),
            Self::Cache(cache, Some(down)) => {
                cache.peek(item).map(|record| (*record).clone()).ok_or_else(|| down.clone())
            }
            Self::Cache(cache, down) => {
                cache.get(item).map(|record| (*record).clone()).map_err(|error| {
                    let reason = error.to_string();
                    *down = error.all_sources_failed().then(|| reason.clone());
                    reason
                })
            }
        }
    }
}

/// Asks one source after the other.
fn ask_each(
    sources: &mut [PolledSource],
    item: &CollateralId,
    timeout: Duration,
) -> Result<Record, String> {
    let is_one_of_many = sources.len() > 1;
    let mut reason = format!("there is no source to ask for {item}");
    for PolledSource { source, down } in sources {
        let now = Instant::now();
        let fetched = match down {
            Some(error) => Err(error.clone()),
            None => source.fetch(item, now.checked_add(timeout).unwrap_or(now)),
        };
        match fetched {
            Ok(document) => return Ok(record(item, document, source.name())),
            Err(SourceError::NotOffered(_)) if is_one_of_many => {}
            Err(error) => {
                reason = format!("cannot fetch {item} from {}: {error}", source.name());
                let is_dead = matches!(
                    error,
                    SourceError::Unreachable(_) | SourceError::Untrusted(_) | SourceError::Timeout
                );
                *down = is_dead.then_some(error);
            }
        }
    }
    Err(reason)
}

/// A record of an unchecked document. Its dates are unknown; they serve people only.
fn record(item: &CollateralId, document: Document, source: &str) -> Record {
    let fetched = SystemTime::now();
    let validity = Validity { from: fetched, until: fetched };
    Record { item: item.clone(), document, validity, fetched, source: source.to_owned() }
}
