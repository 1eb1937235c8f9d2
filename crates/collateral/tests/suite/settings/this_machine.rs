//! The machine that this runs on.

use std::process::Command;

use collateral::settings::{Machine, Settings};

/// Not a test: what another process sees.
#[test]
#[ignore = "the other process"]
#[expect(clippy::print_stdout, reason = "the first process reads it")]
fn other_process() {
    let machine = Machine::this();
    println!("{:?}", machine.variables.keys().collect::<Vec<_>>());
    println!("{}", Settings::of_this_machine().unwrap());
}

#[test]
fn the_variables_of_the_process_count() {
    let config = tempfile::NamedTempFile::new().unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["settings::this_machine::other_process", "--exact", "--ignored", "--nocapture"])
        .env_clear()
        .env("QUOTE_HELPER_COLLATERAL_SOURCES", "/srv/bundle")
        .env("AZDCAP_CACHE", "/azure")
        .env("QUOTE_HELPER_CONFIG", config.path())
        .env("PASSWORD", "s3cret")
        .env("HOME", "/home/ada")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        "[\"AZDCAP_CACHE\", \"HOME\", \"QUOTE_HELPER_COLLATERAL_SOURCES\", \"QUOTE_HELPER_CONFIG\"]",
        "PCK certificates and collateral come from the directory /srv/bundle, because the variable \
         QUOTE_HELPER_COLLATERAL_SOURCES says so\n",
        "they are kept in /azure/.quote-helper/collateral\n",
    ] {
        assert!(text.contains(part), "{text}");
    }
}
