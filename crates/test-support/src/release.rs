//! The interfaces of earlier releases, as recorded in `tests/releases`.
//!
//! A list has a line for each part of an interface. This version may add lines and lose none:
//! docs/compatibility.md has the rules. `just record-release` records this version.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The root of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The directory for the record of this version, if it is to be recorded now.
pub fn record() -> Option<PathBuf> {
    std::env::var_os("RECORD_RELEASE").map(PathBuf::from)
}

/// The directories of the recorded releases, in order.
pub fn releases() -> Vec<PathBuf> {
    let entries = fs::read_dir(repository().join("tests/releases")).unwrap();
    let mut releases: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    releases.retain(|path| path.is_dir());
    releases.sort();
    assert!(!releases.is_empty(), "tests/releases has no release");
    releases
}

/// Asserts that each line of a recorded list is among `lines`; or records them.
#[track_caller]
pub fn keeps_lines(list: &str, lines: &BTreeSet<String>) {
    if let Some(directory) = record() {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        fs::write(directory.join(list), text).unwrap();
        return;
    }
    for release in releases() {
        let recorded = fs::read_to_string(release.join(list)).unwrap();
        let lost: Vec<&str> = recorded.lines().filter(|line| !lines.contains(*line)).collect();
        assert!(
            lost.is_empty(),
            "{} has lines that this version does not keep (docs/compatibility.md):\n{}",
            release.join(list).display(),
            lost.join("\n")
        );
    }
}
