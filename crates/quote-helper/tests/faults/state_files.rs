//! Files of the platform's directory that are damaged or lost.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use rustix::process::{Signal, geteuid};

use crate::fault::{Fault, Outcome, check};
use crate::site::{Site, content, started_by};
use crate::support::{Machine, SERVE};
use crate::trouble::Trouble;

const SECRETS: &[&str] = &["deployment.json", "machine.json"];
const KEY: &[&str] = &["attestation-key.sealed"];
const TCB: &[&str] = &["tcb.json", "microcode.json"];
const ALL: &[&str] =
    &["deployment.json", "machine.json", "attestation-key.sealed", "tcb.json", "microcode.json"];

/// Does something to a file.
type Damage = fn(&Path);

const DAMAGES: &[Damage] = &[
    |file| fs::write(file, []).unwrap(),
    |file| {
        let bytes = fs::read(file).unwrap();
        fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
    },
    |file| {
        // Far from the first braces and names; high bits are in no JSON.
        let mut bytes = fs::read(file).unwrap();
        let place = bytes.len() - 10;
        bytes[place] ^= 0x80;
        fs::write(file, bytes).unwrap();
    },
];

const DIRECTORY: Damage = |file| {
    fs::remove_file(file).unwrap();
    fs::create_dir(file).unwrap();
};

const UNREADABLE: Damage =
    |file| fs::set_permissions(file, fs::Permissions::from_mode(0o000)).unwrap();

const LOST: Damage = |file| fs::remove_file(file).unwrap();

const NOBODY: &[Trouble] = &[Trouble::Nobody];
const NO_START: &str = ": the service does not start, and changes nothing";

#[test]
#[ignore = "just faults"]
fn faults_of_state_files() {
    let start = |name, log, afterwards, happen| Fault {
        troubles: NOBODY,
        note: NO_START,
        ..Fault::new(name, log, afterwards, happen)
    };
    check(&[
        start(
            "`deployment.json` or `machine.json` is empty, cut or changed, at the start",
            "it was left as it is: restore it from a backup",
            "restore the file that the message names: it is the same platform",
            || start_in_vain(SECRETS, DAMAGES),
        ),
        start(
            "`attestation-key.sealed` is empty, cut or changed, at the start",
            "remove it, and the same key is made again",
            "as the message says",
            || start_in_vain(KEY, DAMAGES),
        ),
        start(
            "`tcb.json` or `microcode.json` is empty, cut or changed, at the start",
            "revert all TCB recoveries",
            "as the message says, or restore it from a backup",
            || start_in_vain(TCB, DAMAGES),
        ),
        start(
            "`deployment.json` or `machine.json` is lost, at the start",
            "is missing, though",
            "restore it: it is the same platform; the service does not create another one",
            || start_in_vain(SECRETS, &[LOST]),
        ),
        start(
            "a state file is a directory, at the start",
            "it is a directory, not a regular file",
            "restore it: it is the same platform",
            || start_in_vain(ALL, &[DIRECTORY]),
        ),
        start(
            "a state file is unreadable, at the start",
            "Permission denied",
            "restore the permission: it is the same platform",
            || start_in_vain(ALL, &[UNREADABLE]),
        ),
        Fault::new(
            "any of these while the service runs",
            "",
            "noticed at the next start, or when the TCB changes",
            damaged_meanwhile,
        ),
    ]);
}

/// For each of the files, and of the damages: a start that fails, and one with the file of before.
fn start_in_vain(files: &[&str], damages: &[Damage]) -> Outcome {
    let mut site = recovered();
    let load = site.during(|site, progress| {
        for file in files {
            for damage in damages {
                site.end(Signal::TERM);
                damaged(site, file, *damage, |site| {
                    let before = content(&site.machine.path("state"));
                    site.start_in_vain(&format!("state/{file}"));
                    assert_eq!(content(&site.machine.path("state")), before, "{file}");
                    progress.of_failures();
                });
                site.start();
                progress.of_quotes();
            }
        }
    });
    site.outcome(load)
}

fn damaged_meanwhile() -> Outcome {
    let mut site = recovered();
    let load = site.during(|site, progress| {
        for file in ALL {
            for damage in DAMAGES.iter().chain(&[DIRECTORY, UNREADABLE, LOST]) {
                damaged(site, file, *damage, |_| progress.of_quotes());
            }
        }
    });
    site.outcome(load)
}

/// Has something happen while a file is damaged.
fn damaged(site: &mut Site, file: &str, damage: Damage, happen: impl FnOnce(&mut Site)) {
    let file = site.machine.path("state").join(file);
    let backup = fs::read(&file).unwrap();
    damage(&file);
    happen(site);
    let _ = fs::remove_dir(&file).or_else(|_| fs::remove_file(&file));
    fs::write(&file, backup).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
}

/// A platform after a TCB recovery, which has all the files there are.
fn recovered() -> Site {
    let machine = Machine::new();
    machine.succeed("platform init --state-dir state");
    machine.succeed("platform tcb --raise --state-dir state");
    machine.succeed("platform tcb --update --state-dir state");
    Site::with(machine, without_override)
}

/// The service as any user's: root's right to read everything is taken away.
fn without_override(machine: &Machine) -> Command {
    if geteuid().is_root() {
        let less = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"];
        return started_by(&less, machine, SERVE);
    }
    machine.command(SERVE)
}
