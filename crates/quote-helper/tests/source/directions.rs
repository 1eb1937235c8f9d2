//! The allowed dependencies between the crates, as a table.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::files;

/// A crate of the workspace, and the others that it may use.
struct Crate {
    name: &'static str,
    uses: &'static [&'static str],
    tests_use: &'static [&'static str],
}

/// From the bottom to the top. Only tests may use crates above their own.
const CRATES: &[Crate] = &[
    Crate { name: "sgx", uses: &[], tests_use: &[] },
    Crate { name: "aesm", uses: &["sgx"], tests_use: &[] },
    Crate { name: "atomic-file", uses: &[], tests_use: &[] },
    Crate { name: "printable", uses: &[], tests_use: &[] },
    Crate { name: "private-directory", uses: &[], tests_use: &[] },
    Crate { name: "untrusted-input", uses: &[], tests_use: &[] },
    Crate { name: "per-process", uses: &[], tests_use: &[] },
    Crate { name: "call-trace", uses: &["printable", "untrusted-input"], tests_use: &[] },
    Crate {
        name: "software-platform",
        uses: &["atomic-file", "printable", "private-directory", "sgx", "untrusted-input"],
        tests_use: &["verify"],
    },
    Crate { name: "verify", uses: &["printable", "sgx"], tests_use: &["software-platform"] },
    Crate { name: "evidence", uses: &["printable", "sgx"], tests_use: &["software-platform"] },
    Crate { name: "http-server", uses: &[], tests_use: &[] },
    Crate {
        name: "collateral",
        uses: &[
            "atomic-file",
            "printable",
            "private-directory",
            "sgx",
            "untrusted-input",
            "verify",
        ],
        tests_use: &["software-platform"],
    },
    Crate {
        name: "collateral-server",
        uses: &[
            "collateral",
            "http-server",
            "private-directory",
            "sgx",
            "software-platform",
            "untrusted-input",
            "verify",
        ],
        tests_use: &[],
    },
    Crate { name: "test-support", uses: &["sgx"], tests_use: &[] },
    Crate {
        name: "quoting",
        uses: &["aesm", "software-platform", "sgx", "untrusted-input"],
        tests_use: &["service", "verify"],
    },
    Crate {
        name: "sockets",
        uses: &["atomic-file", "printable", "private-directory", "untrusted-input"],
        tests_use: &[],
    },
    Crate {
        name: "service",
        uses: &["aesm", "printable", "quoting", "sgx"],
        tests_use: &["sockets", "software-platform", "verify"],
    },
    Crate {
        name: "conformance",
        uses: &["aesm", "quoting", "sgx", "software-platform"],
        tests_use: &["service"],
    },
    Crate {
        name: "kubernetes",
        uses: &["atomic-file", "http-server", "printable", "sockets", "untrusted-input"],
        tests_use: &[],
    },
    Crate {
        name: "diagnosis",
        uses: &[
            "aesm",
            "collateral",
            "kubernetes",
            "printable",
            "private-directory",
            "quoting",
            "sgx",
            "verify",
        ],
        tests_use: &["software-platform"],
    },
    Crate { name: "kubernetes-yaml", uses: &[], tests_use: &[] },
    Crate { name: "libsgx-quote-ex", uses: &["call-trace", "quoting", "sgx"], tests_use: &[] },
    Crate {
        name: "libsgx-dcap-ql",
        uses: &["call-trace", "quoting", "sgx"],
        tests_use: &["aesm", "service", "sockets", "software-platform"],
    },
    Crate {
        name: "quote-provider",
        uses: &["collateral", "per-process", "sgx", "verify"],
        tests_use: &[],
    },
    Crate {
        name: "libdcap-quoteprov",
        uses: &["call-trace", "collateral", "printable", "quote-provider", "sgx", "verify"],
        tests_use: &["collateral-server", "http-server", "software-platform"],
    },
    Crate {
        name: "libsgx-dcap-quoteverify",
        uses: &[
            "call-trace",
            "collateral",
            "per-process",
            "printable",
            "quote-provider",
            "sgx",
            "untrusted-input",
            "verify",
        ],
        tests_use: &["collateral-server", "http-server", "software-platform"],
    },
    Crate {
        name: "remote-attestation",
        uses: &["collateral", "printable", "quoting", "sgx", "software-platform", "verify"],
        tests_use: &["collateral-server", "http-server", "kubernetes", "service", "sockets"],
    },
    Crate {
        name: "quote-helper",
        uses: &[
            "aesm",
            "atomic-file",
            "collateral",
            "collateral-server",
            "conformance",
            "diagnosis",
            "evidence",
            "http-server",
            "kubernetes",
            "kubernetes-yaml",
            "printable",
            "private-directory",
            "quoting",
            "remote-attestation",
            "service",
            "sgx",
            "sockets",
            "software-platform",
            "untrusted-input",
            "verify",
        ],
        tests_use: &[],
    },
];

/// Third-party crates that some crates must not depend on, directly or indirectly.
struct Ban {
    of: &'static [&'static str],
    from: &'static [&'static str],
    because: &'static str,
}

const BANS: &[Ban] = &[
    Ban {
        of: &["hyper", "mio", "reqwest", "socket2", "tokio", "ureq"],
        from: &["evidence", "sgx", "verify"],
        because: "it is a pure function of its arguments: no network, no threads",
    },
    Ban {
        of: &["libc", "rustix"],
        from: &["sgx"],
        because: "it is layouts and tables: no input, no output",
    },
    Ban {
        of: &["clap", "tokio", "toml", "tracing"],
        from: &["libsgx-quote-ex", "libsgx-dcap-ql"],
        because: "it lives in somebody else's process: no runtime, no log, no configuration file",
    },
    Ban {
        of: &["clap", "tokio", "tracing"],
        from: &["libdcap-quoteprov", "libsgx-dcap-quoteverify"],
        because: "it lives in somebody else's process: no runtime, no log",
    },
    Ban {
        of: &["parking_lot"],
        from: &[
            "libdcap-quoteprov",
            "libsgx-dcap-ql",
            "libsgx-dcap-quoteverify",
            "libsgx-quote-ex",
        ],
        because: "a fork copies its table of waiting threads, perhaps locked",
    },
];

/// The FFI files, which may contain unsafe code.
const MAY_BE_UNSAFE: &[&str] = &[
    "libdcap-quoteprov/src/c_types.rs",
    "libdcap-quoteprov/src/lib.rs",
    "libdcap-quoteprov/src/log.rs",
    "libsgx-dcap-ql/src/intel.rs",
    "libsgx-dcap-ql/src/lib.rs",
    "libsgx-dcap-ql/src/trace.rs",
    "libsgx-dcap-quoteverify/src/appraisal.rs",
    "libsgx-dcap-quoteverify/src/c_types.rs",
    "libsgx-dcap-quoteverify/src/enclave.rs",
    "libsgx-dcap-quoteverify/src/fetch.rs",
    "libsgx-dcap-quoteverify/src/lib.rs",
    "libsgx-dcap-quoteverify/src/library.rs",
    "libsgx-dcap-quoteverify/src/provider.rs",
    "libsgx-dcap-quoteverify/src/trace.rs",
    "libsgx-dcap-quoteverify/src/verification.rs",
    "libsgx-quote-ex/src/lib.rs",
    "quote-provider/src/block.rs",
    "quoting/src/dcap/library.rs",
    "untrusted-input/src/environment.rs",
];

/// Files that may use anyhow: programs report failures in words, libraries in types.
const MAY_USE_ANYHOW: &[&str] = &[
    "quote-helper/src/",
    "remote-attestation/src/connection.rs",
    "remote-attestation/src/evidence.rs",
    "remote-attestation/src/main.rs",
    "remote-attestation/src/output.rs",
    "remote-attestation/src/session.rs",
];

#[test]
fn our_crates_use_only_what_lies_below_them() {
    let names: BTreeSet<String> = packages().iter().map(name).collect();
    let wrong: Vec<String> =
        packages().iter().flat_map(|package| wrong_edges(package, &names)).collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn the_table_lists_the_crates_of_the_workspace() {
    let listed: BTreeSet<String> = CRATES.iter().map(|listed| listed.name.to_owned()).collect();
    let present: BTreeSet<String> = packages().iter().map(name).collect();
    assert_eq!(listed, present, "crates of the table (left) and of the workspace (right)");
}

#[test]
fn libraries_have_error_types() {
    for file in files::rust_below(&files::crates()) {
        let name = files::name_in_crates(&file);
        let is_source = name.split('/').nth(1) == Some("src");
        let may = MAY_USE_ANYHOW.iter().any(|allowed| name.starts_with(allowed));
        assert!(
            may || !is_source || !uses_anyhow(&files::read(&file)),
            "{name} -> anyhow: a library says in a type what failed; use thiserror"
        );
    }
}

#[test]
fn pure_crates_reach_no_network_or_runtime() {
    for Ban { of, from, because } in BANS {
        for ours in *from {
            let reached = reached_from(ours);
            let wrong: Vec<_> = of.iter().filter(|theirs| reached.contains(**theirs)).collect();
            assert!(
                wrong.is_empty(),
                "{ours} -> … -> {wrong:?}: {because}; see `cargo tree -p {ours} -e no-dev -i {}`",
                wrong[0]
            );
        }
    }
}

#[test]
fn unsafe_code_is_denied_but_where_c_is_spoken() {
    let workspace = files::read(&files::repository().join("Cargo.toml"));
    assert!(workspace.contains("\nunsafe_code = \"deny\"\n"), "in Cargo.toml of the workspace");
    for package in packages() {
        let manifest = files::read(Path::new(text(&package["manifest_path"])));
        let inherits = manifest.contains("\n[lints]\nworkspace = true\n");
        assert!(inherits, "{}: its Cargo.toml takes the lints of the workspace", name(&package));
    }
    // Assembled, so that this file does not contain it.
    let exceptions = ["allow", "expect"].map(|level| format!("{level}(unsafe_code"));
    let mut unsafe_files = BTreeSet::new();
    for file in files::rust_below(&files::crates()) {
        let text = files::read(&file);
        if exceptions.iter().any(|exception| text.contains(exception)) {
            unsafe_files.insert(files::name_in_crates(&file));
        }
    }
    let listed = MAY_BE_UNSAFE.iter().map(|file| (*file).to_owned()).collect();
    assert_eq!(unsafe_files, listed, "files with unsafe code (left) and the list (right)");
}

/// True if code, rather than a comment, names anyhow.
fn uses_anyhow(text: &str) -> bool {
    text.lines().any(|line| line.contains("anyhow") && !line.trim_start().starts_with("//"))
}

/// The forbidden dependencies of `package` on crates of the workspace (`names`), one line each.
fn wrong_edges(package: &Value, names: &BTreeSet<String>) -> Vec<String> {
    let Some(rule) = CRATES.iter().find(|listed| listed.name == name(package)) else {
        return vec![format!("{}: not in the table of this test", name(package))];
    };
    let tests_use = [rule.uses, rule.tests_use, &["test-support"]].concat();
    let kinds = [
        (None, "may use", rule.uses),
        (Some("build"), "may, to be built, use", rule.uses),
        (Some("dev"), "may, in its tests, use", &tests_use),
    ];
    let mut wrong = Vec::new();
    for (kind, may_use, allowed) in kinds {
        let ours = dependencies(package, kind);
        for used in ours.intersection(names).filter(|used| !allowed.contains(&used.as_str())) {
            wrong.push(format!("{} -> {used}: {} {may_use} {allowed:?}", rule.name, rule.name));
        }
    }
    wrong
}

/// The names of what `package` depends on directly; `kind` as in `cargo metadata`, where `None` is
/// a normal dependency.
fn dependencies(package: &Value, kind: Option<&str>) -> BTreeSet<String> {
    let all = package["dependencies"].as_array().expect("cargo metadata lists dependencies");
    all.iter().filter(|dependency| dependency["kind"].as_str() == kind).map(name).collect()
}

/// The crates of the workspace, as `cargo metadata` tells them.
fn packages() -> Vec<Value> {
    let metadata = cargo(&["metadata", "--offline", "--no-deps", "--format-version", "1"]);
    let mut metadata: Value = serde_json::from_str(&metadata).expect("cargo metadata is JSON");
    match metadata["packages"].take() {
        Value::Array(packages) => packages,
        other => unreachable!("packages are a list, not {other}"),
    }
}

/// The names of all that is linked into or builds `package`, but for its tests.
fn reached_from(package: &str) -> BTreeSet<String> {
    let tree = cargo(&[
        "tree",
        "--offline",
        "-p",
        package,
        "-e",
        "no-dev",
        "--prefix",
        "none",
        "-f",
        "{p}",
    ]);
    tree.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {}:\n{errors}", arguments.join(" "));
    String::from_utf8(output.stdout).expect("cargo writes UTF-8")
}

fn name(value: &Value) -> String {
    text(&value["name"]).to_owned()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}
