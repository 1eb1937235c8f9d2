//! C programs, compiled with gcc against the headers and linked to the libraries that a suite is about.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use tempfile::TempDir;
use test_support::shared_object::shared_object;

use crate::PACKAGES;

/// Has the header with the structures and numbers, which all of the libraries' headers include.
const TYPES: &str = "libsgx-quote-ex";

/// How a program is compiled.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Build {
    Plain,
    /// With AddressSanitizer, its leak check, and UndefinedBehaviorSanitizer.
    Sanitized,
}

/// A program of `tests/c`.
pub(crate) struct Program {
    file: PathBuf,
    _directory: TempDir,
}

impl Program {
    pub(crate) fn compile(name: &str, build: Build) -> Self {
        Self::compile_with(name, build, &[])
    }

    /// Compiles it with further directories of headers.
    pub(crate) fn compile_with(name: &str, build: Build, headers: &[&Path]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(name);
        let mut gcc = gcc("gcc");
        gcc.arg("-std=gnu11").arg(source(&format!("{name}.c"))).arg("-o").arg(&file);
        for directory in headers {
            gcc.arg("-I").arg(directory);
        }
        if let Build::Sanitized = build {
            gcc.args(["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]);
        }
        gcc.arg("-L").arg(libraries());
        gcc.args(PACKAGES.map(|package| format!("-l{}", stem(package))));
        succeeded(&mut gcc);
        Self { file, _directory: directory }
    }

    /// The program, to be run with the libraries in an environment without anything else.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.file);
        command.env_clear().env("LD_LIBRARY_PATH", libraries());
        command
    }
}

/// The compiler, which knows where the headers are and accepts nothing dubious.
pub(crate) fn gcc(name: &str) -> Command {
    let mut command = Command::new(name);
    command.args(["-Wall", "-Wextra", "-Werror"]);
    for package in [TYPES].into_iter().chain(PACKAGES) {
        command.arg("-I").arg(crates().join(package).join("include"));
    }
    command
}

pub(crate) fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c").join(name)
}

/// What the program writes. It must not fail.
pub(crate) fn succeeded(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let errors = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{command:?}: {status}\n{errors}");
    String::from_utf8(stdout).unwrap()
}

/// A directory with the libraries, under the names by which programs are linked and loaded.
pub(crate) fn libraries() -> &'static Path {
    static LIBRARIES: OnceLock<PathBuf> = OnceLock::new();
    LIBRARIES.get_or_init(|| {
        let name = concat!(env!("CARGO_PKG_NAME"), "-tests");
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&directory);
        std::fs::create_dir_all(&directory).unwrap();
        for package in PACKAGES {
            let (file, name) = (shared_object(package), format!("lib{}.so", stem(package)));
            symlink(&file, directory.join(&name)).unwrap();
            symlink(&file, directory.join(format!("{name}.1"))).unwrap();
        }
        directory
    })
}

/// What comes after `-l` to link to the library of this package.
pub(crate) fn stem(package: &str) -> String {
    package.trim_start_matches("lib").replace('-', "_")
}

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
