//! Inputs of libraries: variables and files that another user may have chosen go through
//! `untrusted-input`.

use std::path::Path;

use crate::files;

/// The crates that run in processes of applications: the C libraries and their dependencies.
const IN_FOREIGN_PROCESSES: &[&str] = &[
    "aesm",
    "atomic-file",
    "call-trace",
    "collateral",
    "libdcap-quoteprov",
    "libsgx-dcap-ql",
    "libsgx-dcap-quoteverify",
    "libsgx-quote-ex",
    "per-process",
    "printable",
    "private-directory",
    "quote-provider",
    "quoting",
    "sgx",
    "software-platform",
    "verify",
];

/// Functions that read the environment, and functions that read files of any kind.
const ENVIRONMENT: &[&str] =
    &["env::var", "var_os(", "vars(", "vars_os(", "from_env", "temp_dir()"];
const FILES: &[&str] = &["fs::read(", "fs::read_to_string(", "File::open(", ".read(true)"];

/// Files that read only regular files that always exist, or wait for a person on purpose.
const MAY_READ_FILES: &[(&str, &str)] = &[
    ("atomic-file/src/lib.rs", "a directory, to sync it"),
    ("collateral/src/settings/machine.rs", "a file of the kernel's"),
    ("diagnosis/src/", "files of the kernel's"),
    ("kubernetes/src/device_plugin/epc.rs", "files of the kernel's"),
    ("quote-helper/src/commands/install.rs", "a file of the kernel's"),
    ("quote-helper/src/commands/serve/node_metrics/epc.rs", "files of the kernel's"),
    ("quote-helper/src/files.rs", "standard input and what a shell has opened"),
    ("quote-helper/src/memory_limit.rs", "files of the kernel's"),
    ("remote-attestation/src/evidence.rs", "a sample application, started by a person"),
    ("service/src/caller/identity.rs", "a file of the kernel's"),
    ("service/src/caller/uid_ranges.rs", "/etc/passwd and /etc/subuid"),
    ("sockets/src/peer.rs", "a file of the kernel's"),
    ("test-support/", "only tests use it"),
];

#[test]
fn libraries_read_the_environment_in_one_place() {
    for name in IN_FOREIGN_PROCESSES {
        for file in files::rust_below(&files::crates().join(name).join("src")) {
            let code = code(&file);
            let read: Vec<_> = code.lines().filter(|line| reads_environment(line)).collect();
            assert!(
                read.is_empty(),
                "{}: {read:?}: a privileged program must not obey its environment; use \
                 untrusted_input::environment",
                file.display()
            );
        }
    }
}

#[test]
fn files_that_may_be_something_else_are_read_in_one_place() {
    for file in files::rust_below(&files::crates()) {
        let name = files::name_in_crates(&file);
        let is_source = name.split('/').nth(1) == Some("src") && !name.contains("/tests");
        let is_excepted = MAY_READ_FILES.iter().any(|(excepted, _)| name.starts_with(excepted));
        if !is_source || is_excepted || name.starts_with("untrusted-input/") {
            continue;
        }
        let code = code(&file);
        let read: Vec<_> = code.lines().filter(|line| reads_files(line)).collect();
        assert!(
            read.is_empty(),
            "{name}: {read:?}: a FIFO instead of the file blocks the caller; use untrusted_input::read"
        );
    }
}

fn reads_files(line: &str) -> bool {
    let is_whole_name =
        |(at, _): (usize, &str)| !line.split_at(at).0.ends_with(char::is_alphanumeric);
    FILES.iter().any(|way| line.match_indices(way).any(is_whole_name))
}

fn reads_environment(line: &str) -> bool {
    let is_allowed = line.contains("environment::") || line.contains("use untrusted_input");
    !is_allowed && ENVIRONMENT.iter().any(|way| line.contains(way))
}

/// The file without its comments and its unit tests, which are its end.
fn code(file: &Path) -> String {
    let text = files::read(file);
    let code = text.split("\n#[cfg(test)]\n").next().unwrap_or_default();
    let is_comment = |line: &&str| line.trim_start().starts_with("//");
    code.lines().filter(|line| !is_comment(line)).collect::<Vec<_>>().join("\n")
}
