//! A state directory that cannot be used: an error that helps, and nothing changed.

use crate::support::{Machine, SERVE};

const FILES: [&str; 3] = ["deployment.json", "machine.json", "attestation-key.sealed"];

fn with_platform() -> Machine {
    let machine = Machine::new();
    machine.succeed("platform init --state-dir state");
    machine
}

/// The names and bytes of all that is in the state directory.
fn content(machine: &Machine) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(machine.path("state")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<_> =
        names.map(|name| (name.clone(), machine.read(&format!("state/{name}")))).collect();
    files.sort();
    files
}

fn is_refused(machine: &Machine, file: &str, help: &str) {
    let before = content(machine);
    let ended = machine.run(SERVE).with_code(1);
    ended.says(&[&format!("state/{file}"), help]);
    assert_eq!(content(machine), before, "{file}: {}", ended.stderr);
    assert!(!machine.socket().exists());
}

#[test]
fn a_damaged_file_is_left_as_it_is() {
    let damages: [fn(&mut Vec<u8>); 3] = [
        Vec::clear,
        |bytes| bytes.truncate(bytes.len() / 2),
        // In a seed, a secret or a ciphertext: far from the braces and names.
        |bytes| {
            let middle = bytes.len() - 30;
            bytes[middle] ^= 1;
        },
    ];
    for file in FILES {
        for damage in damages {
            let machine = with_platform();
            let mut bytes = machine.read(&format!("state/{file}"));
            damage(&mut bytes);
            machine.write(&format!("state/{file}"), bytes);
            is_refused(&machine, file, "it was left as it is: restore it from a backup");
        }
    }
}

#[test]
fn a_lost_file_is_not_recreated() {
    for file in &FILES[..2] {
        let machine = with_platform();
        std::fs::remove_file(machine.path(&format!("state/{file}"))).unwrap();
        is_refused(&machine, file, "is missing");
    }
}

#[test]
fn a_file_in_the_place_of_the_directory_is_an_error() {
    let machine = Machine::new();
    machine.write("state", "precious");
    machine.run(SERVE).with_code(1).says(&["state/deployment.json", "Not a directory"]);
    assert_eq!(machine.read("state"), b"precious");
}

#[test]
fn a_directory_that_cannot_be_made_is_an_error() {
    let machine = Machine::new();
    machine
        .run("serve --platform software --socket aesm.socket --state-dir /proc/nowhere/state")
        .with_code(1)
        .says(&["cannot make the directory /proc/nowhere/state"]);
}
