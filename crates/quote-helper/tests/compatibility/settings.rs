//! A configuration file with every key of an earlier release.

use std::fs;

use test_support::release::{record, releases, repository};

use crate::support::Machine;

/// The shipped file, in which each setting is commented out: there, no space follows the `#`.
fn every_setting() -> String {
    let shipped = fs::read_to_string(repository().join("deploy/config.toml")).unwrap();
    let is_setting = |line: &&str| line.starts_with(|first: char| first.is_lowercase());
    let lines = shipped.lines().filter_map(|line| match line {
        "[collateral]" => Some(line),
        _ => line.strip_prefix('#').filter(is_setting),
    });
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn files_with_every_key_of_earlier_releases_are_accepted() {
    if let Some(directory) = record() {
        fs::write(directory.join("config.toml"), every_setting()).unwrap();
        return;
    }
    for release in releases() {
        let machine = Machine::new();
        let mut text = fs::read_to_string(release.join("config.toml")).unwrap();
        for file in ["pccs-ca.pem", "pcs-api-key", "software-root.pem"] {
            let path = machine.path(file);
            text = text.replace(&format!("/etc/quote-helper/{file}"), path.to_str().unwrap());
        }
        machine.succeed("platform init --state-dir state");
        machine.succeed("platform root --state-dir state --out software-root.pem");
        fs::copy(machine.path("software-root.pem"), machine.path("pccs-ca.pem")).unwrap();
        machine.write("pcs-api-key", "0123456789abcdef0123456789abcdef");
        machine.write("config.toml", text);
        // One of the settings is for this platform only, and no other is refused with it.
        let check = "serve --check-config --config config.toml --state-dir state";
        machine.succeed(&format!("{check} --platform software"));
    }
}
