//! Collateral for any number of quotes out of one source. Each item is asked for once, and a source
//! that cannot be reached is asked once.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use anyhow::anyhow;
use collateral::settings::{Settings, SourceSettings};
use collateral::{Cache, CollateralId, Document, Event, Record, Source, SourceError, TcbUpdate};
use parking_lot::Mutex;
use sgx::Collateral;
use verify::Validity;

use super::collateral_file::{self, CollateralFile};
use crate::output;

/// The maximum number of remembered items; beyond it all are forgotten.
const MAX_REMEMBERED: usize = 4096;

/// A source of collateral, and what it has given so far.
pub(crate) struct CollateralSupply {
    origin: Origin,
    evaluation: TcbUpdate,
    /// By the name of the item; an error is the reason why there is none.
    known: HashMap<String, Result<Document, String>>,
    /// All that was used, by the name of the item, if it is to be kept.
    used: Option<BTreeMap<String, Record>>,
}

enum Origin {
    File(Box<Collateral>),
    Bundle(HashMap<String, Document>),
    /// Sources that are asked now, with the time for one question.
    Sources(Vec<AskedSource>, Duration),
    /// The cache, and why its sources are not asked any more.
    Cache(Box<Cache>, Option<String>),
}

/// A source, and why it is not asked any more.
struct AskedSource {
    source: Box<dyn Source>,
    down: Option<SourceError>,
}

impl CollateralSupply {
    /// The collateral in this file.
    pub(crate) fn of_file(path: &Path) -> anyhow::Result<Self> {
        let origin = match collateral_file::read(path)? {
            CollateralFile::Json(collateral) => Origin::File(collateral),
            CollateralFile::Bundle(documents) => Origin::Bundle(documents),
        };
        Ok(Self::new(origin, TcbUpdate::Standard))
    }

    /// The collateral of the sources, as it is: nothing is checked or kept.
    pub(crate) fn of_sources(settings: &Settings) -> anyhow::Result<Self> {
        let sources: Vec<_> =
            settings.sources.iter().map(SourceSettings::open).collect::<Result<_, _>>()?;
        let sources = sources.into_iter().map(|source| AskedSource { source, down: None });
        let origin = Origin::Sources(sources.collect(), settings.timeout);
        Ok(Self::new(origin, settings.evaluation))
    }

    /// The collateral that is in the cache, or that its sources have. No source is asked again
    /// after it has failed.
    pub(crate) fn of_cache(mut settings: Settings) -> anyhow::Result<Self> {
        settings.retry.times = 0;
        let cache = Cache::open(&settings, Box::new(tell_once()))?;
        Ok(Self::new(Origin::Cache(Box::new(cache), None), settings.evaluation))
    }

    fn new(origin: Origin, evaluation: TcbUpdate) -> Self {
        Self { origin, evaluation, known: HashMap::new(), used: None }
    }

    /// Remembers from now on what is used, for [`used`](Self::used).
    pub(crate) fn remember_used(&mut self) {
        self.used = Some(BTreeMap::new());
    }

    /// All that was used since then.
    pub(crate) fn used(self) -> Vec<Record> {
        self.used.unwrap_or_default().into_values().collect()
    }

    /// The collateral for this quote.
    pub(crate) fn for_quote(&mut self, quote: &[u8]) -> anyhow::Result<Collateral> {
        if let Origin::File(collateral) = &self.origin {
            return Ok((**collateral).clone());
        }
        let evaluation = self.evaluation;
        let get = |item: &CollateralId| self.get(item).map_err(|reason| anyhow!(reason));
        collateral::for_quote(quote, evaluation, get).map_err(|error| anyhow!("{error}"))
    }

    fn get(&mut self, item: &CollateralId) -> Result<Document, String> {
        let name = item.to_string();
        if let Some(known) = self.known.get(&name) {
            return known.clone();
        }
        let found = self.origin.ask(item);
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

impl Origin {
    /// The item, or why there is none.
    fn ask(&mut self, item: &CollateralId) -> Result<Record, String> {
        match self {
            Self::File(_) => Err(format!("{item} is not in the file")),
            Self::Bundle(documents) => match collateral_file::find(documents, item) {
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
    sources: &mut [AskedSource],
    item: &CollateralId,
    timeout: Duration,
) -> Result<Record, String> {
    let is_one_of_many = sources.len() > 1;
    let mut reason = format!("there is no source to ask for {item}");
    for AskedSource { source, down } in sources {
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

/// A record of something unchecked. Its dates are for people, and unknown.
fn record(item: &CollateralId, document: Document, source: &str) -> Record {
    let fetched = SystemTime::now();
    let validity = Validity { from: fetched, until: fetched };
    Record { item: item.clone(), document, validity, fetched, source: source.to_owned() }
}

/// Notes what is wrong with the cache, and the same only once, though it is so for each item.
fn tell_once() -> impl Fn(&Event) {
    let last = Mutex::new(String::new());
    move |notice| {
        let words = notice.to_string();
        let mut last = last.lock();
        if !matches!(notice, Event::Fetched(_)) && *last != words {
            output::note(&words);
            *last = words;
        }
    }
}
