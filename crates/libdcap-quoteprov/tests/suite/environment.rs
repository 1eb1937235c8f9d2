//! The environment of privileged programs.

use std::process::Command;
use test_support::c_programs::succeeded;

use crate::PROGRAMS;

/// Sets variables that name the caller's hosts and directories.
fn with_callers_variables(command: &mut Command) -> &mut Command {
    command
        .env("QUOTE_HELPER_COLLATERAL_SOURCES", "http://caller.example")
        .env("QUOTE_HELPER_COLLATERAL_CACHE_DIR", "/tmp/caller")
        .env("AZDCAP_CACHE", "/tmp/caller")
        .env("HOME", "/tmp/caller")
        .env("XDG_CACHE_HOME", "/tmp/caller")
        .env("HTTPS_PROXY", "http://caller.example:3128")
}

#[test]
fn a_privileged_program_ignores_variables() {
    let Some(program) = PROGRAMS.compile_privileged("privileged") else { return };
    let ordinary = succeeded(with_callers_variables(&mut program.ordinary()));
    assert!(ordinary.contains("http://caller.example"), "{ordinary}");
    assert!(ordinary.contains("kept in /tmp/caller"), "{ordinary}");

    let privileged = succeeded(with_callers_variables(&mut program.command()));
    assert!(!privileged.contains("caller"), "{privileged}");
    assert!(privileged.contains("environment variables are ignored"), "{privileged}");
    assert_eq!(privileged, succeeded(&mut program.command()), "as without any variable");
}

#[test]
fn a_privileged_program_ignores_variables_with_paths_of_settings() {
    let Some(program) = PROGRAMS.compile_privileged("privileged") else { return };
    let nowhere = program.path().join("none");
    for variable in ["QCNL_CONF_PATH", "QUOTE_HELPER_CONFIG"] {
        let ordinary = succeeded(program.ordinary().env(variable, &nowhere));
        assert!(ordinary.contains("cannot read the settings"), "{variable}: {ordinary}");
        let privileged = succeeded(program.command().env(variable, &nowhere));
        assert!(!privileged.contains("cannot read"), "{variable}: {privileged}");
    }
}
