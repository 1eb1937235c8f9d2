//! `chown`: a directory of the host becomes the quote service's user's.

use std::fs::{Metadata, Permissions, create_dir, metadata, set_permissions, symlink_metadata};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::os::unix::process::CommandExt;

use rustix::process::{getegid, geteuid};

use crate::support::{Machine, RunResult, is_root};

/// A machine with a directory `aesmd` of this mode.
fn machine(mode: u32) -> Machine {
    let machine = Machine::new();
    create_dir(machine.path("aesmd")).unwrap();
    set_permissions(machine.path("aesmd"), Permissions::from_mode(mode)).unwrap();
    machine
}

fn directory(machine: &Machine) -> Metadata {
    metadata(machine.path("aesmd")).unwrap()
}

#[test]
fn the_directory_gets_owner_and_mode_again_and_again() {
    let (user, group) = match is_root() {
        true => (65532, 65533),
        // Nobody else can be its owner then.
        false => (geteuid().as_raw(), getegid().as_raw()),
    };
    for mode in [0o700, 0o777, 0o755] {
        let machine = machine(mode);
        for _ in 0..2 {
            machine.succeed(&format!("chown --user {user}:{group} aesmd"));
            let directory = directory(&machine);
            assert_eq!((directory.uid(), directory.gid()), (user, group));
            assert_eq!(directory.mode() & 0o7777, 0o755, "from {mode:o}");
        }
    }
}

/// An earlier version ran as another user, and what it keeps is only for that user's eyes.
#[test]
fn files_of_the_former_owner_are_taken_over() {
    if !geteuid().is_root() {
        // Nobody else can give files away.
        return;
    }
    let machine = machine(0o755);
    create_dir(machine.path("aesmd/cache")).unwrap();
    machine.write("aesmd/cache/file", "kept");
    machine.write("aesmd/secret", "kept");
    machine.write("aesmd/roots", "root's");
    machine.write("outside", "root's");
    symlink(machine.path("outside"), machine.path("aesmd/link")).unwrap();
    for name in ["aesmd", "aesmd/cache", "aesmd/cache/file", "aesmd/secret"] {
        chown(machine.path(name), Some(65532), Some(65532)).unwrap();
    }
    lchown(machine.path("aesmd/link"), Some(65532), Some(65532)).unwrap();
    set_permissions(machine.path("aesmd/cache"), Permissions::from_mode(0o700)).unwrap();
    for _ in 0..2 {
        machine.succeed("chown --user 61100:61101 aesmd");
        let owner = |name: &str| {
            let metadata = symlink_metadata(machine.path(name)).unwrap();
            (metadata.uid(), metadata.gid())
        };
        for name in ["aesmd", "aesmd/cache", "aesmd/cache/file", "aesmd/secret", "aesmd/link"] {
            assert_eq!(owner(name), (61100, 61101), "{name}");
        }
        assert_eq!([owner("aesmd/roots"), owner("outside")], [(0, 0); 2]);
    }
    let mode = metadata(machine.path("aesmd/cache")).unwrap().mode();
    assert_eq!(mode & 0o7777, 0o700);
}

#[test]
fn a_missing_directory_is_an_error_unless_it_may_be_missing() {
    let machine = Machine::new();
    let user = geteuid().as_raw();
    machine
        .run(&format!("chown --user {user} nothing"))
        .with_code(1)
        .says(&["cannot open nothing"]);
    machine.succeed(&format!("chown --user {user} --if-present nothing"));
}

#[test]
fn anything_but_a_directory_is_not_changed() {
    let machine = machine(0o700);
    symlink("aesmd", machine.path("link")).unwrap();
    machine.write("file", "");
    let user = geteuid().as_raw();
    for name in ["link", "file"] {
        let ended = machine.run(&format!("chown --user {user} {name}")).with_code(1);
        ended.says(&[name, "is not a directory, but a file or a symbolic link"]);
    }
    assert_eq!(directory(&machine).mode() & 0o7777, 0o700);
}

#[test]
fn missing_privileges_are_named() {
    let machine = machine(0o755);
    let mut command = machine.command("chown --user 65532 aesmd");
    if geteuid().is_root() {
        set_permissions(machine.path(""), Permissions::from_mode(0o755)).unwrap();
        command.uid(65534).gid(65534);
    }
    RunResult::of(&mut command).with_code(1).says(&["cannot give aesmd to user 65532", "CHOWN"]);
}

#[test]
fn a_user_is_a_number() {
    let machine = machine(0o755);
    for user in ["nobody", "", "1:", ":1", "-1", "4294967295", "1:2:3"] {
        machine.run(&format!("chown --user={user} aesmd")).with_code(2).says(&["--user"]);
    }
}
