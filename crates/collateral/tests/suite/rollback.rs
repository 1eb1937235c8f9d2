//! No source takes a cache back to collateral from before a TCB recovery, however lately it was
//! issued.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use collateral::{
    Cache, CacheDirectory, CollateralId, Document, Fetcher, InsertError, Record, RefreshPolicy,
    RetryPolicy, Source, TcbUpdate,
};
use tempfile::TempDir;
use time::OffsetDateTime;

use crate::common::{Scripted, items, platform, tcb_info};

/// A directory in which the newest of each item was kept: TCB evaluation 2, issued two days ago.
fn kept() -> (TempDir, Scripted) {
    let (directory, newest) = (tempfile::tempdir().unwrap(), evaluation(2, 2));
    let (cache, _) = newest.cache(&cache_of(&directory));
    items().iter().for_each(|item| drop(cache.get(item).unwrap()));
    (directory, newest)
}

/// A source of collateral by this TCB evaluation, issued so many days ago.
fn evaluation(number: u32, days: i64) -> Scripted {
    let issued = OffsetDateTime::now_utc() - time::Duration::days(days);
    Scripted::evaluated(&platform([7; 32]), issued, number)
}

fn cache_of(directory: &TempDir) -> PathBuf {
    directory.path().join("cache")
}

/// All but PCK certificates, of which none is newer than another.
fn collateral() -> Vec<CollateralId> {
    items().into_iter().filter(|item| !matches!(item, CollateralId::PckCertificate(_))).collect()
}

/// TCB info and the identity of the QE.
fn evaluated() -> Vec<CollateralId> {
    let crl =
        |item: &CollateralId| matches!(item, CollateralId::PckCrl(_) | CollateralId::RootCaCrl);
    collateral().into_iter().filter(|item| !crl(item)).collect()
}

fn forget_records(cache: &Path) {
    for entry in std::fs::read_dir(cache).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            std::fs::remove_file(path).unwrap();
        }
    }
}

#[test]
fn a_newer_date_does_not_make_up_for_an_older_evaluation() {
    let (directory, newest) = kept();
    let before = newest.cache(&cache_of(&directory)).0;
    let before: Vec<_> = evaluated().iter().map(|item| before.peek(item).unwrap()).collect();
    for days in [0, 1, 2, 3] {
        let (cache, _) = evaluation(1, days).cache(&cache_of(&directory));
        for kept in &before {
            let record = cache.refresh(&kept.item).unwrap();
            assert_eq!(record.document, kept.document, "{}, {days} days", kept.item);
        }
    }
}

#[test]
fn a_newer_evaluation_makes_up_for_an_older_date() {
    let (directory, _) = kept();
    let (cache, _) = evaluation(3, 5).cache(&cache_of(&directory));
    for item in evaluated() {
        let record = cache.refresh(&item).unwrap();
        let issued = record.validity.from.elapsed().unwrap();
        assert!(issued > Duration::from_secs(4 * 24 * 3600), "{item}: {issued:?}");
        let (again, _) = evaluation(2, 2).cache(&cache_of(&directory));
        assert_eq!(again.refresh(&item).unwrap().document, record.document, "{item}");
    }
}

#[test]
fn revisions_are_remembered_after_the_records_are_gone() {
    let (directory, newest) = kept();
    forget_records(&cache_of(&directory));
    let (cache, _) = evaluation(1, 0).cache(&cache_of(&directory));
    for item in evaluated() {
        let refusal = cache.get(&item).unwrap_err().to_string();
        assert!(refusal.contains("it is older (number 1, issued"), "{refusal}");
        assert!(cache.peek(&item).is_none());
    }
    // The same evaluation of an earlier date, and so CRLs of a lower number.
    let (cache, _) = evaluation(2, 3).cache(&cache_of(&directory));
    for item in collateral() {
        assert!(cache.get(&item).unwrap_err().to_string().contains("it is older"), "{item}");
    }
    let (cache, _) = newest.cache(&cache_of(&directory));
    collateral().iter().for_each(|item| drop(cache.get(item).unwrap()));
}

#[test]
fn the_next_source_is_asked_when_one_is_behind() {
    let (directory, newest) = kept();
    for gone in [false, true] {
        if gone {
            forget_records(&cache_of(&directory));
        }
        let sources: Vec<Box<dyn Source>> =
            vec![Box::new(evaluation(1, 0)), Box::new(newest.clone())];
        let timing = RetryPolicy::default();
        let fetcher = Fetcher::new(sources, newest.roots(), timing, SystemTime::now);
        let files = CacheDirectory::new(&cache_of(&directory), 1 << 20);
        let cache = Cache::new(fetcher, Some(files), RefreshPolicy::default(), Box::new(|_| ()));
        let asked = newest.asked();
        assert!(cache.refresh(&tcb_info()).is_ok());
        assert_eq!(newest.asked(), asked + 1);
    }
}

#[test]
fn imported_items_cannot_be_older_either() {
    let (directory, _) = kept();
    let elsewhere = tempfile::tempdir().unwrap();
    let (other, _) = evaluation(1, 0).cache(elsewhere.path());
    let record = |item: &CollateralId| other.get(item).unwrap();
    for item in evaluated() {
        let (cache, _) = evaluation(1, 0).cache(&cache_of(&directory));
        assert!(!cache.insert(&record(&item)).unwrap(), "{item}");
    }
    forget_records(&cache_of(&directory));
    for item in evaluated() {
        let (cache, _) = evaluation(1, 0).cache(&cache_of(&directory));
        let refusal = cache.insert(&record(&item)).unwrap_err();
        assert!(matches!(&refusal, InsertError::Check(_)), "{refusal}");
        assert!(refusal.to_string().contains("it is older"), "{refusal}");
    }
}

#[test]
fn an_older_file_in_the_place_of_a_newer_one_is_not_used() {
    let (directory, newest) = kept();
    let elsewhere = tempfile::tempdir().unwrap();
    let (other, _) = evaluation(1, 0).cache(elsewhere.path());
    for item in evaluated() {
        other.get(&item).unwrap();
        let name = format!("{item}.json");
        std::fs::copy(elsewhere.path().join(&name), cache_of(&directory).join(&name)).unwrap();
        let (cache, events) = newest.cache(&cache_of(&directory));
        assert!(cache.peek(&item).is_none());
        assert!(events.lock().iter().any(|event| event.contains("it is older")));
        assert!(cache.get(&item).is_ok(), "fetched again");
    }
}

#[test]
fn evaluations_that_are_asked_for_apart_are_kept_apart() {
    let (directory, _) = kept();
    let CollateralId::TcbInfo { tee, fmspc, .. } = tcb_info() else { panic!() };
    let (older, _) = evaluation(1, 0).cache(&directory.path().join("other"));
    let standard = older.get(&tcb_info()).unwrap();
    for (set, is_kept) in
        [(TcbUpdate::Standard, false), (TcbUpdate::Early, true), (TcbUpdate::Number(1), true)]
    {
        let (cache, _) = evaluation(1, 0).cache(&cache_of(&directory));
        let item = CollateralId::TcbInfo { tee, fmspc, set };
        let record = Record { item, ..Record::clone(&standard) };
        assert_eq!(cache.insert(&record).unwrap(), is_kept, "{set}");
    }
}

#[test]
fn another_root_begins_anew() {
    let (directory, _) = kept();
    let issued = OffsetDateTime::now_utc() - time::Duration::days(5);
    let other = Scripted::evaluated(&platform([8; 32]), issued, 1);
    let (cache, _) = other.cache(&cache_of(&directory));
    collateral().iter().for_each(|item| drop(cache.get(item).unwrap()));
}

#[test]
fn a_sweep_leaves_the_marks() {
    let (directory, _) = kept();
    let sweep = CacheDirectory::new(&cache_of(&directory), 0);
    sweep.sweep(SystemTime::now()).unwrap();
    let (cache, _) = evaluation(1, 0).cache(&cache_of(&directory));
    assert!(cache.records().unwrap().is_empty());
    assert!(cache.get(&tcb_info()).unwrap_err().to_string().contains("it is older"));
}

#[test]
fn a_damaged_mark_is_named_and_made_anew() {
    let (directory, newest) = kept();
    let marks = cache_of(&directory).join(".high-water-marks");
    for entry in std::fs::read_dir(&marks).unwrap() {
        std::fs::write(entry.unwrap().path(), "{").unwrap();
    }
    let (cache, events) = newest.cache(&cache_of(&directory));
    cache.refresh(&tcb_info()).unwrap();
    let told = |events: &Arc<_>| {
        let events: &parking_lot::Mutex<Vec<String>> = events;
        events.lock().iter().any(|event| event.contains(".high-water-marks"))
    };
    assert!(told(&events));
    let (cache, events) = newest.cache(&cache_of(&directory));
    cache.refresh(&tcb_info()).unwrap();
    assert!(!told(&events));
}

#[test]
fn a_document_says_how_new_it_is_whatever_the_record_says() {
    let (directory, newest) = kept();
    let (older, _) = evaluation(1, 3).cache(&directory.path().join("other"));
    let mut record = Record::clone(&older.get(&tcb_info()).unwrap());
    record.validity.from = SystemTime::now();
    record.fetched = SystemTime::now();
    let (cache, _) = newest.cache(&cache_of(&directory));
    assert!(!cache.insert(&record).unwrap());
    let Document { body, .. } = &cache.peek(&tcb_info()).unwrap().document;
    assert_ne!(*body, record.document.body);
}
