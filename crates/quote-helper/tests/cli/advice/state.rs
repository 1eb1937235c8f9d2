//! Advice about files that this user has.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::{PermissionsExt, chown};

use super::{perform, printed};
use crate::support::{Machine, SERVE, Serve, is_root};

fn machine() -> Machine {
    let machine = Machine::new();
    machine.succeed("platform init --state-dir state");
    machine
}

const SHOW: &str = "platform show --state-dir state --output json";

#[test]
fn modes_that_let_others_write_are_taken_back() {
    let machine = Machine::new();
    // A space in a path is part of a word of the command.
    let state = "the state";
    let show = || {
        let mut command = machine.command("platform show --state-dir");
        crate::support::RunResult::of(command.arg(state))
    };
    let mut init = machine.command("platform init --state-dir");
    crate::support::RunResult::of(init.arg(state)).with_code(0);
    for name in ["the state/machine.json", "the state"] {
        let mode = if name == state { 0o777 } else { 0o666 };
        set_permissions(machine.path(name), Permissions::from_mode(mode)).unwrap();
        let printed = printed(&show().with_code(1).stderr, "chmod go-w ");
        perform(&machine, &printed).with_code(0);
        show().with_code(0);
    }
    if is_root() {
        chown(machine.path("the state/machine.json"), Some(54_321), None).unwrap();
        let printed = printed(&show().with_code(1).stderr, "chown ");
        perform(&machine, &printed).with_code(0);
        show().with_code(0);
    }
}

#[test]
fn a_damaged_attestation_key_is_removed_and_made_again() {
    let machine = machine();
    let before = machine.succeed(SHOW).json();
    let key = "state/attestation-key.sealed";
    machine.write(key, "damaged");
    machine.run(SHOW).with_code(1).says(&["or remove it, and the same key is made again"]);
    std::fs::remove_file(machine.path(key)).unwrap();
    let after = machine.succeed(SHOW).json();
    assert_eq!(after["public_key_id"], before["public_key_id"]);
}

#[test]
fn the_advice_for_damaged_tcb_files_repairs_the_platform() {
    let machine = Machine::new();
    machine.succeed("platform init --state-dir state");
    let show = "platform show --state-dir state --output json";
    let before = machine.succeed(show).json();
    for name in ["state/tcb.json", "state/microcode.json"] {
        machine.write(name, "{");
        let ended = machine.run(show).with_code(1);
        let printed = printed(&ended.stderr, "quote-helper platform tcb --reset");
        let command = printed.split('`').next().unwrap();
        perform(&machine, &format!("{command} --state-dir state")).with_code(0);
        assert_eq!(machine.succeed(show).json()["public_key_id"], before["public_key_id"]);
    }
}

#[test]
fn a_hand_over_secret_that_is_none_is_removed_and_made_again() {
    let machine = Machine::new();
    drop(machine.serve());
    let secret = machine.names("state/hand-over");
    let secret = secret.iter().find(|name| name.contains("secret")).unwrap();
    let secret = format!("state/hand-over/{secret}");
    machine.write(&secret, "short");
    machine
        .run(SERVE)
        .with_code(1)
        .says(&["Stop the instance that serves, remove the file", &secret]);
    std::fs::remove_file(machine.path(&secret)).unwrap();
    drop(machine.serve());
}

#[test]
fn a_file_in_the_place_of_the_socket_is_removed() {
    let machine = Machine::new();
    machine.write("aesm.socket", "");
    machine.run(SERVE).with_code(1).says(&["is not a socket", "or remove it"]);
    std::fs::remove_file(machine.socket()).unwrap();
    let _serve = Serve::start(&mut machine.command(SERVE));
}
