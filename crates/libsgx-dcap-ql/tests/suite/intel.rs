//! Settings go to Intel's libraries where these make the quotes, and their errors come back.

use std::path::Path;
use test_support::c_programs::{Build, succeeded};

use quoting::QUOTE_HELPER_PLATFORM;

use crate::PROGRAMS;

#[test]
fn settings_and_errors_pass_through() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    for name in ["libsgx_qe3_logic.so.1", "libsgx_pce_logic.so.1"] {
        let mut gcc = PROGRAMS.gcc("gcc");
        succeeded(
            gcc.args(["-shared", "-fPIC", "-o"]).arg(path(name)).arg(PROGRAMS.source("intel.c")),
        );
    }
    let (file, refused) = (path("enclave.so"), path("refused.so"));
    std::fs::write(&file, "").unwrap();
    std::fs::write(&refused, "").unwrap();

    let program = PROGRAMS.compile("settings", Build::Sanitized);
    let search = std::env::join_paths([PROGRAMS.libraries(), directory.path()]).unwrap();
    let mut command = program.command();
    command.args([&file, &refused]).env("LD_LIBRARY_PATH", search);
    let printed = succeeded(command.env(QUOTE_HELPER_PLATFORM, "dcap"));
    let line = |what: &str, path: &Path| format!("{what} {}", path.display());
    let expected = [
        "policy 0".to_owned(),
        line("qe3", &file),
        line("pce", &file),
        line("qpl", &file),
        line("qe3", &refused),
        line("pce", &refused),
        "policy 1".to_owned(),
    ];
    assert_eq!(printed.lines().collect::<Vec<_>>(), expected);
}
