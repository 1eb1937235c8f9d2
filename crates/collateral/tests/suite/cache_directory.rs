//! The directory of the cache: it is the cache's alone, and nobody else can stop what is done in
//! it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use collateral::{CacheDirectory, FileSource, RefreshPolicy, Source};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;

use crate::common::{Scripted, tcb_info};

/// Nothing here takes as long, unless it waits for what never comes.
const SOON: Duration = Duration::from_secs(2);
/// A user who has no part in anything.
const STRANGER: u32 = 64_321;

fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn record(directory: &TempDir) -> PathBuf {
    directory.path().join(format!("{}.json", tcb_info()))
}

fn in_two_years() -> SystemTime {
    SystemTime::now() + Duration::from_secs(2 * 365 * 24 * 3600)
}

/// Fetches into this directory; gives what there is to say about it.
fn fetch_into(directory: &Path) -> Vec<String> {
    let start = Instant::now();
    let (cache, events) = Scripted::new().cache(directory);
    cache.get(&tcb_info()).unwrap();
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    let events = events.lock();
    events.iter().filter(|event| !event.starts_with("fetched ")).cloned().collect()
}

#[test]
fn a_directory_that_is_also_something_elses_is_left_as_it_is() {
    for (name, text) in [
        ("deployment.json", r#"{"seed": "0"}"#),
        ("settings.json", "{}"),
        ("notes.txt", ""),
        ("pck-crl-of-mine.json.orig", ""),
    ] {
        let directory = directory();
        let file = directory.path().join(name);
        fs::write(&file, text).unwrap();
        let events = fetch_into(directory.path());
        assert!(events[0].contains(name) && events[0].contains("--cache-dir"), "{events:?}");
        let error = CacheDirectory::new(directory.path(), 0).sweep(in_two_years()).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
        assert_eq!(fs::read_to_string(&file).unwrap(), text, "{name}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "{name}");
    }
}

#[test]
fn a_file_with_the_name_of_a_record_and_something_else_in_it_stays() {
    let (directory, text) = (directory(), r#"{"somebody": "else's"}"#);
    fs::write(record(&directory), text).unwrap();
    let events = fetch_into(directory.path());
    assert!(events.iter().any(|event| event.contains("not a file of the cache")), "{events:?}");
    CacheDirectory::new(directory.path(), 0).sweep(in_two_years()).unwrap();
    assert_eq!(fs::read_to_string(record(&directory)).unwrap(), text);
}

#[test]
fn foreign_files_and_files_of_earlier_versions_are_no_obstacle() {
    let directory = directory();
    let path = |name: &str| directory.path().join(name);
    fs::create_dir(path("lost+found")).unwrap();
    for name in ["CACHEDIR.TAG", ".nfs0001", ".being-written-Ab3dE9", "3f.lock", "00.lock"] {
        fs::write(path(name), "").unwrap();
    }
    assert_eq!(fetch_into(directory.path()), [""; 0]);
    assert!(record(&directory).exists());
    assert!(!path("3f.lock").exists() && !path("00.lock").exists());
    assert!(path("CACHEDIR.TAG").exists() && path(".nfs0001").exists());
}

fn pipe(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
}

#[test]
fn a_pipe_in_the_place_of_a_record_keeps_nobody_waiting() {
    let directory = directory();
    pipe(&record(&directory));
    let events = fetch_into(directory.path());
    assert!(events[0].contains("it is a pipe, not a regular file"), "{events:?}");

    let start = Instant::now();
    let error = FileSource::new(directory.path()).fetch(&tcb_info(), start).unwrap_err();
    assert!(error.to_string().contains("it is a pipe, not a regular file"), "{error}");
    assert!(start.elapsed() < SOON);
}

#[test]
fn no_other_user_can_open_a_lock() {
    let directory = directory();
    fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
    fetch_into(directory.path());
    let locks = directory.path().join(".locks");
    assert_eq!(fs::metadata(&locks).unwrap().mode() & 0o777, 0o700);
    let locks: Vec<_> = fs::read_dir(&locks).unwrap().map(|entry| entry.unwrap()).collect();
    assert!(!locks.is_empty());
    assert!(locks.iter().all(|lock| lock.metadata().unwrap().mode() & 0o777 == 0o600));
}

#[test]
#[expect(clippy::print_stderr, reason = "nothing else would tell")]
fn a_stranger_who_locks_all_that_he_can_open_stops_nobody() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: only root can be another user");
        return;
    }
    let directory = directory();
    fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
    fetch_into(directory.path());
    fs::remove_file(record(&directory)).unwrap();
    let lock = "for file in $(find \"$0\" 2>&-); do flock --nonblock \"$file\" sleep 8 2>&- & done; sleep 8";
    let mut stranger = Command::new("sh");
    stranger.args(["-c", lock]).arg(directory.path()).uid(STRANGER).gid(STRANGER).process_group(0);
    let mut stranger = stranger.spawn().unwrap();
    thread::sleep(Duration::from_secs(1));
    assert_eq!(fetch_into(directory.path()), [""; 0]);
    let group = rustix::process::Pid::from_child(&stranger);
    rustix::process::kill_process_group(group, rustix::process::Signal::KILL).unwrap();
    stranger.wait().unwrap();
}

#[test]
fn time_to_fetch_remains_after_waiting_in_vain_for_another_process() {
    let directory = directory();
    let locks = directory.path().join(".locks");
    private_directory::make(&locks).unwrap();
    let held: Vec<_> = (0..=255)
        .map(|number| private_directory::open_lock(&locks.join(format!("{number:02x}"))).unwrap())
        .collect();
    held.iter().for_each(|lock| lock.try_lock().unwrap());
    let patience = Duration::from_secs(4);
    let policy = RefreshPolicy { max_wait: patience, ..RefreshPolicy::default() };
    let (cache, _) = Scripted::new().cache_at(directory.path(), SystemTime::now, policy);
    let start = Instant::now();
    cache.get(&tcb_info()).unwrap();
    assert!(start.elapsed() < patience * 3 / 4, "{:?}", start.elapsed());
    assert!(record(&directory).exists());
}
