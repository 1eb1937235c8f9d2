//! The cache: what is kept answers at once, whatever becomes of the sources.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use collateral::{AttemptError, Cache, CollateralId, RefreshPolicy, SourceError, TcbUpdate};
use tempfile::TempDir;
use time::OffsetDateTime;

use crate::common::{Scripted, dead, items, machine, platform, tcb_info};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn file(directory: &TempDir, item: &CollateralId) -> PathBuf {
    directory.path().join(format!("{item}.json"))
}

fn in_two_days() -> SystemTime {
    SystemTime::now() + 2 * DAY
}

fn in_forty_days() -> SystemTime {
    SystemTime::now() + 40 * DAY
}

#[test]
fn cached_items_are_not_refetched() {
    let (directory, source) = (directory(), Scripted::new());
    let (cache, _) = source.cache(directory.path());
    for item in items() {
        let first = cache.get(&item).unwrap();
        assert_eq!(*cache.get(&item).unwrap(), *first, "{item}");
    }
    assert_eq!(source.asked(), items().len());
}

#[test]
fn another_process_finds_it_on_disk_though_the_source_is_dead() {
    let (directory, source) = (directory(), Scripted::new());
    let fetched: Vec<_> = {
        let (cache, _) = source.cache(directory.path());
        items().iter().map(|item| cache.get(item).unwrap()).collect()
    };
    source.fail(dead());
    let (cache, events) = source.cache(directory.path());
    for (item, fetched) in items().iter().zip(fetched) {
        let kept = cache.get(item).unwrap();
        assert_eq!(kept.document, fetched.document, "{item}");
        assert_eq!((kept.validity, &kept.source), (fetched.validity, &fetched.source));
    }
    assert_eq!(source.asked(), items().len());
    assert!(events.lock().is_empty());
}

#[test]
fn the_name_of_an_item_is_one_file_name_without_its_encrypted_ppid() {
    let CollateralId::PckCertificate(mut question) = items().remove(0) else { panic!() };
    let name = CollateralId::PckCertificate(question.clone()).to_string();
    question.encrypted_ppid = None;
    assert_eq!(CollateralId::PckCertificate(question).to_string(), name);
    for item in items() {
        let name = item.to_string();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        assert!(name.bytes().all(is_plain), "{name}");
    }
}

/// The number of requests to the source by eight threads that begin together.
fn asked_by_eight(source: &Scripted, caches: &[Cache; 2]) -> usize {
    let start = Barrier::new(8);
    thread::scope(|scope| {
        for number in 0..8 {
            let (cache, start) = (&caches[number % 2], &start);
            scope.spawn(move || {
                start.wait();
                cache.get(&tcb_info()).unwrap();
            });
        }
    });
    source.asked()
}

#[test]
fn concurrent_requests_reach_the_source_once() {
    let (directory, source) = (directory(), Scripted::new().after(Duration::from_millis(200)));
    // Two caches are two processes: they share the directory alone.
    let caches = [source.cache(directory.path()).0, source.cache(directory.path()).0];
    assert_eq!(asked_by_eight(&source, &caches), 1);
}

#[test]
fn without_a_directory_each_process_asks_once() {
    let source = Scripted::new().after(Duration::from_millis(200));
    let cache = || Cache::new(source.fetcher(), None, RefreshPolicy::default(), Box::new(|_| {}));
    assert_eq!(asked_by_eight(&source, &[cache(), cache()]), 2);
}

#[test]
fn items_that_another_process_fetched_are_used() {
    let (directory, source) = (directory(), Scripted::new());
    let (early, late) = (source.cache(directory.path()).0, source.cache(directory.path()).0);
    let first = early.get(&tcb_info()).unwrap();
    thread::sleep(Duration::from_millis(1100));
    let second = late.refresh(&tcb_info()).unwrap();
    assert!(second.fetched > first.fetched);
    assert_eq!(early.get(&tcb_info()).unwrap().fetched, second.fetched);
    assert_eq!(source.asked(), 2);
}

#[test]
fn something_expired_serves_when_there_is_nothing_newer() {
    let (directory, source) = (directory(), Scripted::new());
    let kept = source.cache(directory.path()).0.get(&tcb_info()).unwrap();
    source.fail(dead());
    let (cache, events) =
        source.cache_at(directory.path(), in_forty_days, RefreshPolicy::default());
    assert_eq!(cache.get(&tcb_info()).unwrap().document, kept.document);
    let asked = source.asked();
    assert_eq!(cache.get(&tcb_info()).unwrap().document, kept.document);
    assert_eq!(source.asked(), asked, "it is not asked again at once");
    let events = events.lock();
    assert!(events[0].contains("using an expired item"), "{events:?}");
    assert!(events[0].contains("connection refused"), "{events:?}");
}

#[test]
fn something_expired_is_fetched_anew_when_it_can_be() {
    let (directory, source) = (directory(), Scripted::new());
    let kept = source.cache(directory.path()).0.get(&tcb_info()).unwrap();
    let policy = RefreshPolicy { collateral_expires_after: Some(DAY), ..RefreshPolicy::default() };
    let (cache, _) = source.cache_at(directory.path(), in_two_days, policy);
    assert!(cache.get(&tcb_info()).unwrap().fetched > kept.fetched);
    assert_eq!(source.asked(), 2);
}

#[test]
fn expired_items_are_served_while_another_thread_fetches() {
    let (directory, source) = (directory(), Scripted::new());
    source.cache(directory.path()).0.get(&tcb_info()).unwrap();
    source.fail(dead());
    let slow = source.clone().after(Duration::from_millis(1500));
    let cache = slow.cache_at(directory.path(), in_forty_days, RefreshPolicy::default()).0;
    thread::scope(|scope| {
        scope.spawn(|| cache.get(&tcb_info()).unwrap());
        thread::sleep(Duration::from_millis(200));
        let start = Instant::now();
        cache.get(&tcb_info()).unwrap();
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    });
}

#[test]
fn expired_items_are_served_while_another_process_fetches() {
    let (directory, source) = (directory(), Scripted::new());
    source.cache(directory.path()).0.get(&tcb_info()).unwrap();
    let slow = source.clone().after(Duration::from_millis(1500));
    let expired = || slow.cache_at(directory.path(), in_forty_days, RefreshPolicy::default()).0;
    let (one, other, asked) = (expired(), expired(), source.asked());
    thread::scope(|scope| {
        scope.spawn(|| one.get(&tcb_info()).unwrap());
        thread::sleep(Duration::from_millis(300));
        other.get(&tcb_info()).unwrap();
        assert_eq!(source.asked(), asked + 1);
    });
}

#[test]
fn nothing_kept_and_a_dead_source_is_an_error_at_the_deadline_and_then_at_once() {
    let (directory, source) = (directory(), Scripted::new());
    source.fail(dead());
    let policy = RefreshPolicy { max_wait: Duration::from_millis(500), ..RefreshPolicy::default() };
    let (cache, _) = source.cache_at(directory.path(), SystemTime::now, policy);
    let start = Instant::now();
    let error = cache.get(&tcb_info()).unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(2));
    let text = error.to_string();
    assert!(
        text.contains(&tcb_info().to_string()) && text.contains("connection refused"),
        "{text}"
    );
    let (asked, start) = (source.asked(), Instant::now());
    assert_eq!(cache.get(&tcb_info()).unwrap_err(), error);
    assert!(start.elapsed() < Duration::from_millis(100));
    assert_eq!(source.asked(), asked);
}

#[test]
fn a_source_that_recovers_is_found_again() {
    let (directory, source) = (directory(), Scripted::new());
    source.fail(dead());
    let (cache, _) = source.cache(directory.path());
    cache.get(&tcb_info()).unwrap_err();
    source.fail(None);
    thread::sleep(Duration::from_secs(2));
    cache.get(&tcb_info()).unwrap();
}

#[test]
fn a_damaged_file_is_fetched_anew_and_said() {
    let source = Scripted::new();
    for damage in ["", "{", "{}", "\0", "[[[[[[[["] {
        let directory = directory();
        source.cache(directory.path()).0.get(&tcb_info()).unwrap();
        let file = file(&directory, &tcb_info());
        fs::write(&file, damage).unwrap();
        let (cache, events) = source.cache(directory.path());
        cache.get(&tcb_info()).unwrap();
        let events = events.lock();
        assert!(events[0].contains(file.to_str().unwrap()), "{events:?}");
        assert!(fs::read_to_string(&file).unwrap().contains("tcbInfo"));
    }
}

#[test]
fn items_in_memory_survive_damage_to_their_files() {
    let (directory, source) = (directory(), Scripted::new());
    let (cache, _) = source.cache(directory.path());
    cache.get(&tcb_info()).unwrap();
    source.fail(dead());
    thread::sleep(Duration::from_millis(1100));
    fs::write(file(&directory, &tcb_info()), "{").unwrap();
    assert!(cache.peek(&tcb_info()).is_some());
    cache.get(&tcb_info()).unwrap();
    assert_eq!(source.asked(), 1);
}

#[test]
fn questions_that_somebody_makes_up_leave_little_behind() {
    let (directory, source) = (directory(), Scripted::new());
    source.fail(Some(SourceError::NotFound));
    let (cache, _) = source.cache(directory.path());
    let CollateralId::TcbInfo { tee, set, .. } = tcb_info() else { panic!() };
    for number in 0..1000_u16 {
        let [high, low] = number.to_be_bytes();
        cache.get(&CollateralId::TcbInfo { tee, fmspc: [9, 9, 9, 9, high, low], set }).unwrap_err();
    }
    let files = fs::read_dir(directory.path()).unwrap().count();
    assert!(files <= 256, "{files}");
}

#[test]
fn a_file_that_was_changed_is_not_used() {
    let (directory, source) = (directory(), Scripted::new());
    source.cache(directory.path()).0.get(&tcb_info()).unwrap();
    let file = file(&directory, &tcb_info());
    let changed = fs::read_to_string(&file).unwrap().replace("UpToDate", "OutOfDate");
    fs::write(&file, changed).unwrap();
    source.fail(dead());
    let policy = RefreshPolicy { max_wait: Duration::from_millis(200), ..RefreshPolicy::default() };
    let (cache, events) = source.cache_at(directory.path(), SystemTime::now, policy);
    cache.get(&tcb_info()).unwrap_err();
    assert!(events.lock()[0].contains("is not used"), "{events:?}");
}

#[test]
fn items_of_another_root_are_refused_and_never_written() {
    let (directory, ours) = (directory(), Scripted::new());
    let theirs = Scripted::of(&platform([8; 32]));
    let fetcher = collateral::Fetcher::new(
        vec![Box::new(theirs.clone())],
        ours.roots(),
        collateral::RetryPolicy::default(),
        SystemTime::now,
    );
    let files = collateral::CacheDirectory::new(directory.path(), 1 << 20);
    let cache = Cache::new(fetcher, Some(files), RefreshPolicy::default(), Box::new(|_| {}));
    for item in &items()[1..] {
        let error = cache.get(item).unwrap_err();
        let refused = matches!(error.attempts[0].reason, AttemptError::Refused(_));
        assert!(refused, "{item}: {error}");
        assert!(!file(&directory, item).exists(), "{item}");
    }
}

#[test]
fn items_that_arrive_expired_are_refused() {
    let (directory, source) = (directory(), Scripted::new());
    let (cache, _) = source.cache_at(directory.path(), in_forty_days, RefreshPolicy::default());
    let error = cache.get(&tcb_info()).unwrap_err();
    assert!(error.to_string().contains("expired at"), "{error}");
    assert!(!file(&directory, &tcb_info()).exists());
}

#[test]
fn an_unwritable_cache_still_answers() {
    let (directory, source) = (directory(), Scripted::new());
    let no_directory = directory.path().join("file");
    fs::write(&no_directory, "").unwrap();
    let (cache, events) = source.cache(&no_directory);
    cache.get(&tcb_info()).unwrap();
    cache.get(&tcb_info()).unwrap();
    let events = events.lock();
    assert!(events.iter().any(|event| event.contains("cannot store")), "{events:?}");
    assert_eq!(source.asked(), 1);
}

#[test]
fn a_cache_that_others_can_write_is_not_used() {
    let (directory, source) = (directory(), Scripted::new());
    fs::set_permissions(directory.path(), Permissions::from_mode(0o777)).unwrap();
    let (cache, events) = source.cache(directory.path());
    cache.get(&tcb_info()).unwrap();
    assert!(!file(&directory, &tcb_info()).exists());
    let events = events.lock();
    assert!(events.iter().any(|event| event.contains("chmod go-w")), "{events:?}");
}

#[test]
fn without_a_directory_it_is_kept_in_memory() {
    let source = Scripted::new();
    let cache = Cache::new(source.fetcher(), None, RefreshPolicy::default(), Box::new(|_| {}));
    for item in items() {
        cache.get(&item).unwrap();
        cache.get(&item).unwrap();
    }
    assert_eq!(source.asked(), items().len());
}

#[test]
fn the_oldest_gives_way_to_what_is_new() {
    let (directory, source) = (directory(), Scripted::new());
    let (cache, _) = source.cache(directory.path());
    let (older, newer) = (file(&directory, &tcb_info()), file(&directory, &items()[0]));
    cache.get(&tcb_info()).unwrap();
    thread::sleep(Duration::from_millis(20));
    cache.get(&items()[0]).unwrap();
    let size = fs::metadata(&newer).unwrap().len();
    let small = collateral::CacheDirectory::new(directory.path(), size + 10);
    small.sweep(SystemTime::now()).unwrap();
    assert!(newer.exists() && !older.exists());
}

#[test]
fn very_old_and_partial_files_are_removed() {
    let (directory, source) = (directory(), Scripted::new());
    source.cache(directory.path()).0.get(&tcb_info()).unwrap();
    let abandoned = directory.path().join(".being-written-by-a-killed-process");
    fs::write(&abandoned, "{").unwrap();
    let files = collateral::CacheDirectory::new(directory.path(), 1 << 20);
    files.sweep(SystemTime::now()).unwrap();
    assert!(abandoned.exists() && file(&directory, &tcb_info()).exists());
    files.sweep(SystemTime::now() + DAY).unwrap();
    assert!(!abandoned.exists() && file(&directory, &tcb_info()).exists());
    files.sweep(SystemTime::now() + 401 * DAY).unwrap();
    assert!(!file(&directory, &tcb_info()).exists());
}

#[test]
fn only_items_that_are_due_are_refreshed() {
    let (directory, source) = (directory(), Scripted::new());
    let (cache, _) = source.cache(directory.path());
    items().iter().for_each(|item| drop(cache.get(item).unwrap()));
    assert!(cache.refresh_due().unwrap().is_empty());
    let (later, _) = source.cache_at(directory.path(), in_two_days, RefreshPolicy::default());
    let refreshed = later.refresh_due().unwrap();
    assert_eq!(refreshed.len(), items().len());
    refreshed.into_iter().for_each(|result| drop(result.unwrap()));
}

#[test]
fn a_failed_refresh_is_not_repeated_at_once() {
    let (directory, source) = (directory(), Scripted::new());
    source.cache(directory.path()).0.get(&tcb_info()).unwrap();
    source.fail(Some(SourceError::NotFound));
    let (later, _) = source.cache_at(directory.path(), in_two_days, RefreshPolicy::default());
    assert!(later.refresh_due().unwrap()[0].is_err());
    assert!(later.refresh_due().unwrap().is_empty());
    assert!(later.get(&tcb_info()).is_ok(), "what is kept serves");
}

#[test]
fn a_source_that_is_behind_takes_nobody_back() {
    let (directory, ahead) = (directory(), Scripted::new());
    let kept = ahead.cache(directory.path()).0.get(&tcb_info()).unwrap();
    let then = OffsetDateTime::now_utc() - time::Duration::days(3);
    let behind = Scripted::published(&platform([7; 32]), then);
    let (cache, _) = behind.cache(directory.path());
    assert_eq!(cache.refresh(&tcb_info()).unwrap().document, kept.document);
    assert_eq!(behind.cache(directory.path()).0.get(&tcb_info()).unwrap().document, kept.document);
}

#[test]
fn another_evaluation_than_the_one_that_was_asked_for_is_refused() {
    let (directory, source) = (directory(), Scripted::new());
    let (cache, _) = source.cache(directory.path());
    let document = cache.get(&tcb_info()).unwrap().document.clone();
    let CollateralId::TcbInfo { tee, fmspc, .. } = tcb_info() else { panic!() };
    let numbered = |number| CollateralId::TcbInfo { tee, fmspc, set: TcbUpdate::Number(number) };
    let check = |item| collateral::check(&item, &document, &source.roots(), SystemTime::now());
    assert!(check(numbered(1)).is_ok());
    assert!(check(numbered(2)).unwrap_err().to_string().contains("asked for 2, got 1"));
}

#[test]
fn clearing_empties_memory_and_disk() {
    let (directory, source) = (directory(), Scripted::new());
    let (cache, _) = source.cache(directory.path());
    items().iter().for_each(|item| drop(cache.get(item).unwrap()));
    cache.clear(|item| matches!(item, CollateralId::PckCertificate(_))).unwrap();
    assert!(cache.peek(&items()[0]).is_none());
    assert!(cache.peek(&tcb_info()).is_some());
    cache.clear(|_| true).unwrap();
    assert!(cache.records().unwrap().is_empty());
    cache.get(&tcb_info()).unwrap();
    assert_eq!(source.asked(), items().len() + 1);
}

#[test]
fn a_record_from_elsewhere_is_kept_if_it_holds_and_is_newer() {
    let (here, there, source) = (directory(), directory(), Scripted::new());
    let record = source.cache(there.path()).0.get(&tcb_info()).unwrap();
    let (cache, _) = source.cache(here.path());
    assert!(cache.insert(&record).unwrap());
    assert!(!cache.insert(&record).unwrap(), "it is there already");
    let mut changed = (*record).clone();
    changed.document.body[20] ^= 1;
    assert!(cache.insert(&changed).is_err());
    assert_eq!(source.asked(), 1);
}

#[test]
fn a_source_that_answers_with_another_platform_changes_nothing() {
    let (directory, source) = (directory(), Scripted::new());
    let pck = items().remove(0);
    let kept = source.cache(directory.path()).0.get(&pck).unwrap();
    let other = Scripted::of(&machine([7; 32], [10; 32]));
    for _ in 0..2 {
        let (cache, events) = other.cache(directory.path());
        assert_eq!(cache.refresh(&pck).unwrap().document, kept.document);
        assert_eq!(cache.get(&pck).unwrap().document, kept.document);
        let events = events.lock().join("; ");
        assert!(events.contains("PPID"), "{events}");
    }
    // Its other items stay usable.
    assert_eq!(other.cache(directory.path()).0.refresh(&tcb_info()).unwrap().item, tcb_info());
}

#[test]
fn trouble_with_pck_certificates_is_no_trouble_with_collateral() {
    let (directory, source) = (directory(), Scripted::new());
    let (cache, _) = source.cache(directory.path());
    let pck = items().remove(0);
    let retry_after = Some(Duration::from_secs(300));
    source.fail(Some(SourceError::Busy { status: 429, retry_after }));
    cache.refresh(&pck).unwrap_err();
    source.fail(None);
    cache.refresh(&tcb_info()).unwrap();
    let error = cache.refresh(&pck).unwrap_err();
    let is_left_alone = |reason: &AttemptError| matches!(reason, AttemptError::BackingOff { .. });
    assert!(error.reasons().any(is_left_alone), "{error}");
}

#[test]
fn a_question_that_a_source_does_not_like_turns_it_off_for_no_other() {
    let (directory, source) = (directory(), Scripted::new());
    let (cache, _) = source.cache(directory.path());
    for status in [400, 405, 414] {
        source.fail(Some(SourceError::Status(status)));
        cache.refresh(&items()[3]).unwrap_err();
        source.fail(None);
        cache.refresh(&items()[4]).unwrap();
    }
}
