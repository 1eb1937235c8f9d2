//! The records of a bundle are checked on import.

use std::path::Path;
use std::time::{Duration, SystemTime};

use collateral::{Bundle, BundleRecord, Cache, Imported, Record, RefreshPolicy, write_bundle};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::common::{Scripted, platform, tcb_info};

const HOUR: Duration = Duration::from_secs(3600);

/// A cache in this directory with this clock, over what was published so many hours ago.
fn cache(directory: &Path, published: u32, clock: fn() -> SystemTime) -> Cache {
    let published = OffsetDateTime::now_utc() - published * HOUR;
    let source = Scripted::published(&platform([7; 32]), published);
    source.cache_at(directory, clock, RefreshPolicy::default()).0
}

/// The record, carried with these changes to what nobody has signed.
fn carried(record: &Record, changes: &[(&str, Value)]) -> BundleRecord {
    let mut bundle = Vec::new();
    write_bundle(std::slice::from_ref(record), &mut bundle).unwrap();
    let text = String::from_utf8(bundle).unwrap();
    let (header, line) = text.split_once('\n').unwrap();
    let mut line: Value = serde_json::from_str(line).unwrap();
    for (name, value) in changes {
        line[name] = value.clone();
    }
    let bundle = format!("{header}\n{line}\n");
    Bundle::open(bundle.as_bytes()).unwrap().next().unwrap().unwrap()
}

#[test]
fn records_that_expired_on_the_way_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let from = cache(&directory.path().join("from"), 0, SystemTime::now);
    let record = from.refresh(&tcb_info()).unwrap();
    let to = cache(&directory.path().join("to"), 0, || SystemTime::now() + 31 * 24 * HOUR);
    let refusal = to.import(carried(&record, &[])).unwrap_err().to_string();
    assert!(refusal.contains("the TCB info expired at"), "{refusal}");
    assert!(to.peek(&tcb_info()).is_none());
}

#[test]
fn the_issue_date_decides_which_record_is_newer() {
    let directory = tempfile::tempdir().unwrap();
    let old = cache(&directory.path().join("old"), 10, SystemTime::now);
    let new = cache(&directory.path().join("new"), 5, || SystemTime::now() - 4 * HOUR);
    let [in_old, in_new] = [&old, &new].map(|cache| cache.refresh(&tcb_info()).unwrap());
    assert!(in_old.fetched > in_new.fetched && in_old.validity.from < in_new.validity.from);
    assert!(matches!(old.import(carried(&in_new, &[])).unwrap(), Imported::Stored(_)));
    for older in [&in_new, &in_old] {
        assert!(matches!(old.import(carried(older, &[])).unwrap(), Imported::HadNewer(_)));
    }
    assert_eq!(old.peek(&tcb_info()).unwrap().document, in_new.document);
}

#[test]
fn unsigned_fields_of_a_bundle_do_no_harm() {
    let directory = tempfile::tempdir().unwrap();
    let from = cache(&directory.path().join("from"), 0, SystemTime::now);
    let record = from.refresh(&tcb_info()).unwrap();
    for fetched in ["1980-01-01T00:00:00Z", "2999-01-01T00:00:00Z"] {
        let there = || cache(&directory.path().join(fetched), 0, SystemTime::now);
        let source = format!("\u{1b}[31m{}", "x".repeat(1000));
        let carried = carried(&record, &[("fetched", json!(fetched)), ("source", json!(source))]);
        assert!(matches!(there().import(carried).unwrap(), Imported::Stored(_)));
        // Read from the disk, by another process.
        let kept = there().peek(&tcb_info()).unwrap();
        assert!(kept.fetched >= record.validity.from && kept.fetched <= SystemTime::now());
        // Bounded; it is escaped where it leaves.
        assert!(source.starts_with(&kept.source) && kept.source.len() == 200, "{:?}", kept.source);
    }
}
