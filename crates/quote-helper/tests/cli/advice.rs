//! Commands that messages print: each is performed as it is printed, and the trouble is gone.

mod collateral;
mod of_another_user;
mod state;

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Machine, RunResult};

/// The text from this word to the end of the line that it is in.
#[track_caller]
fn printed(text: &str, begins: &str) -> String {
    let found = text.find(begins).unwrap_or_else(|| panic!("no {begins}: {text}"));
    text[found..].lines().next().unwrap().to_owned()
}

/// Performs a command on the machine in a shell, where the program is found by its name.
fn perform(machine: &Machine, command: &str) -> RunResult {
    let program = Path::new(env!("CARGO_BIN_EXE_quote-helper")).parent().unwrap();
    let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", program.display());
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(machine.path("")).env_clear().env("PATH", path);
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    RunResult::of(&mut shell)
}

/// Gives this and all below it to a user, who can get there.
fn give(machine: &Machine, name: &str, uid: u32) {
    let open = PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(machine.path(""), open).unwrap();
    let mut left = vec![machine.path(name)];
    while let Some(path) = left.pop() {
        chown(&path, Some(uid), Some(uid)).unwrap();
        if path.is_dir() {
            left.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
}

/// The owners of this directory and of all that is in it.
fn owners(machine: &Machine, name: &str) -> Vec<u32> {
    let mut owners = Vec::new();
    let mut left = vec![machine.path(name)];
    while let Some(path) = left.pop() {
        owners.push(std::fs::symlink_metadata(&path).unwrap().uid());
        if path.is_dir() {
            left.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    owners.sort_unstable();
    owners.dedup();
    owners
}
