//! State on disk: keys, cache and registrations are those that the release before has left.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use test_support::release::{record, releases};
use test_support::succeeded;

use crate::on_disk::{NAMES, facts, make};
use crate::support::Machine;

/// All files, with their modes.
const ARCHIVE: &str = "state.tar.gz";
/// The contents, by the release itself.
const FACTS: &str = "state.json";

#[test]
fn state_of_earlier_releases_is_read() {
    let own = Path::new(env!("CARGO_BIN_EXE_quote-helper"));
    let machine = Machine::new();
    if let Some(directory) = record() {
        make(&machine, own);
        pack(&machine, &directory.join(ARCHIVE));
        let facts = serde_json::to_string_pretty(&facts(&machine, own)).unwrap() + "\n";
        fs::write(directory.join(FACTS), facts).unwrap();
        return;
    }
    for release in releases() {
        let machine = Machine::new();
        let mut tar = Command::new("tar");
        tar.args(["--extract", "--gzip", "--no-same-owner", "--same-permissions", "--file"]);
        succeeded(tar.arg(release.join(ARCHIVE)).current_dir(machine.path("")));
        let recorded: Value =
            serde_json::from_slice(&fs::read(release.join(FACTS)).unwrap()).unwrap();
        assert_eq!(facts(&machine, own), recorded, "{}", release.display());
    }
}

fn pack(machine: &Machine, archive: &Path) {
    let mut tar = Command::new("tar");
    tar.args(["--create", "--gzip", "--owner=0", "--group=0", "--numeric-owner", "--file"]);
    succeeded(tar.arg(archive).args(NAMES).current_dir(machine.path("")));
}
