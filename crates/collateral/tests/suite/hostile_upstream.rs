//! Services that do wrong: what the operator sees of each is a line of docs/collateral-faults.md,
//! and whoever has something in the cache sees nothing.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use collateral::settings::{Serves, ServiceSettings, ServiceUrl};
use collateral::{Cache, CacheDirectory, Fetcher, PcsSource, RefreshPolicy, RetryPolicy, Source};

use crate::common::{Scripted, tcb_info};
use crate::upstream::{FAULTS, Upstream};

/// The time for one question: more than a service on this machine needs, less than a slow one
/// takes.
const TIMEOUT: Duration = Duration::from_millis(600);

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/collateral-faults.md");

/// A cache that asks this upstream alone.
fn cache(upstream: &Upstream, ours: &Scripted, directory: &Path) -> Cache {
    let url = ServiceUrl::parse(upstream.url()).unwrap();
    let service = PcsSource::open(ServiceSettings::at(url, Serves::Everything)).unwrap();
    let timing = RetryPolicy { timeout: TIMEOUT, retries: 0, ..RetryPolicy::default() };
    let fetcher = Fetcher::new(vec![Box::new(service)], ours.roots(), timing, SystemTime::now);
    let directory = CacheDirectory::new(directory, 1 << 24);
    Cache::new(fetcher, Some(directory), RefreshPolicy::default(), Box::new(|_| {}))
}

/// The operator's message, without the parts that differ from run to run.
fn message(upstream: &Upstream, ours: &Scripted) -> String {
    let directory = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let error = cache(upstream, ours, directory.path()).get(&tcb_info()).unwrap_err();
    let took = start.elapsed();
    assert!(took < 3 * TIMEOUT, "{}: {took:?}", upstream.name());
    let kept = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path());
    let kept: Vec<_> =
        kept.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
    assert!(kept.is_empty(), "{}: {kept:?}", upstream.name());
    upstream.without_what_differs(&error.attempts[0].reason.to_string())
}

#[test]
fn each_fault_has_its_message_and_leaves_nothing_in_the_cache() {
    let ours = Scripted::new();
    let mut found = String::new();
    for fault in FAULTS {
        let upstream = Upstream::start(fault, &ours);
        let message = message(&upstream, &ours);
        writeln!(found, "| {} | {message} |", upstream.name()).unwrap();
    }
    let text = fs::read_to_string(TABLE).unwrap();
    let table: String =
        text.split_inclusive('\n').filter(|line| line.starts_with("| ")).skip(1).collect();
    assert_eq!(
        found, table,
        "what was found (left) and what docs/collateral-faults.md says (right)"
    );
}

#[test]
fn whoever_has_it_in_the_cache_sees_nothing_of_it() {
    let ours = Scripted::new();
    for fault in FAULTS {
        let directory = tempfile::tempdir().unwrap();
        let kept = ours.cache(directory.path()).0.get(&tcb_info()).unwrap();
        let upstream = Upstream::start(fault, &ours);
        let cache = cache(&upstream, &ours, directory.path());
        let start = Instant::now();
        assert_eq!(cache.get(&tcb_info()).unwrap().document, kept.document);
        assert!(start.elapsed() < Duration::from_millis(300), "{}", upstream.name());
        assert!(cache.refresh(&tcb_info()).is_err(), "{}", upstream.name());
        assert_eq!(cache.get(&tcb_info()).unwrap().document, kept.document);
        assert_eq!(upstream.asked(), usize::from(upstream.is_there()), "{}", upstream.name());
    }
}

#[test]
fn a_busy_service_is_left_alone_for_as_long_as_it_says_up_to_five_minutes() {
    let (ours, directory) = (Scripted::new(), tempfile::tempdir().unwrap());
    for (fault, wait) in [("429", 7), ("503 with a date", 300)] {
        let fault = FAULTS.iter().find(|(name, _)| *name == fault).unwrap();
        let upstream = Upstream::start(fault, &ours);
        let cache = cache(&upstream, &ours, directory.path());
        cache.refresh(&tcb_info()).unwrap_err();
        let error = cache.refresh(&tcb_info()).unwrap_err().to_string();
        let seconds = wait - 1..=wait;
        let said = seconds.map(|second| format!("asked again in {second} s"));
        assert!(said.into_iter().any(|said| error.contains(&said)), "{error}");
        assert_eq!(upstream.asked(), 1);
    }
}

#[test]
fn the_next_source_has_its_turn_though_one_hangs() {
    let (ours, directory) = (Scripted::new(), tempfile::tempdir().unwrap());
    let silent = FAULTS.iter().find(|(name, _)| *name == "silent").unwrap();
    let silent = Upstream::start(silent, &ours);
    let url = ServiceUrl::parse(silent.url()).unwrap();
    let silent = PcsSource::open(ServiceSettings::at(url, Serves::Everything)).unwrap();
    let timing =
        RetryPolicy { timeout: Duration::from_secs(10), retries: 0, ..RetryPolicy::default() };
    let sources: Vec<Box<dyn Source>> = vec![Box::new(silent), Box::new(ours.clone())];
    let fetcher = Fetcher::new(sources, ours.roots(), timing, SystemTime::now);
    let policy = RefreshPolicy { max_wait: Duration::from_secs(1), ..RefreshPolicy::default() };
    let files = CacheDirectory::new(directory.path(), 1 << 20);
    let cache = Cache::new(fetcher, Some(files), policy, Box::new(|_| {}));
    let start = Instant::now();
    assert_eq!(cache.get(&tcb_info()).unwrap().source, ours.name());
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}
