//! C programs, compiled with gcc against a package's headers and linked to its shared objects.

mod compilers;
mod privileged;

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

pub use self::privileged::Privileged;
use crate::shared_object::{Profile, shared_object};
pub use crate::succeeded;

/// The package whose header has the structures and numbers that all other headers include.
const TYPES: &str = "libsgx-quote-ex";

/// The programs in `tests/c` of a package.
#[derive(Debug)]
pub struct CPrograms {
    manifest_dir: &'static str,
    target_tmpdir: &'static str,
    packages: &'static [&'static str],
    profile: Profile,
    libraries: OnceLock<PathBuf>,
}

/// The options of the compiler.
#[derive(Debug, Clone, Copy)]
pub enum Build {
    /// Without options.
    Plain,
    /// With AddressSanitizer, its leak check, and UndefinedBehaviorSanitizer.
    Sanitized,
}

impl CPrograms {
    /// The programs of the package with this `CARGO_MANIFEST_DIR` and `CARGO_TARGET_TMPDIR`, linked
    /// to the libraries of `packages`.
    pub const fn new(
        manifest_dir: &'static str,
        target_tmpdir: &'static str,
        packages: &'static [&'static str],
        profile: Profile,
    ) -> Self {
        Self { manifest_dir, target_tmpdir, packages, profile, libraries: OnceLock::new() }
    }

    /// Compiles `tests/c/NAME.c`.
    pub fn compile(&self, name: &str, build: Build) -> Program {
        self.compile_with(name, build, &[])
    }

    /// Compiles it with further directories of headers.
    pub fn compile_with(&self, name: &str, build: Build, headers: &[&Path]) -> Program {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(name);
        let mut gcc = self.gcc("gcc");
        gcc.arg("-std=gnu11").arg(self.source(&format!("{name}.c"))).arg("-o").arg(&file);
        for directory in headers {
            gcc.arg("-I").arg(directory);
        }
        if let Build::Sanitized = build {
            gcc.args(["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]);
        }
        self.link(&mut gcc);
        Program { file, libraries: self.libraries().to_owned(), _directory: directory }
    }

    /// The compiler with the directories of headers; warnings are errors.
    pub fn gcc(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command.args(["-Wall", "-Wextra", "-Werror"]);
        for package in [TYPES].iter().chain(self.packages) {
            let package = Path::new(self.manifest_dir).join("..").join(package);
            command.arg("-I").arg(package.join("include"));
        }
        command
    }

    /// The path of a source file.
    pub fn source(&self, name: &str) -> PathBuf {
        Path::new(self.manifest_dir).join("tests/c").join(name)
    }

    /// A directory with the libraries, under the names by which programs are linked and loaded.
    pub fn libraries(&self) -> &Path {
        self.libraries.get_or_init(|| {
            let package = Path::new(self.manifest_dir).file_name().unwrap();
            let directory = Path::new(self.target_tmpdir).join(package);
            let _ = std::fs::remove_dir_all(&directory);
            std::fs::create_dir_all(&directory).unwrap();
            for package in self.packages {
                let file = shared_object(package, self.profile);
                let name = format!("lib{}.so", stem(package));
                symlink(&file, directory.join(&name)).unwrap();
                symlink(&file, directory.join(format!("{name}.1"))).unwrap();
            }
            directory
        })
    }

    /// Runs the compiler, which links the libraries.
    fn link(&self, gcc: &mut Command) {
        gcc.arg("-L").arg(self.libraries());
        gcc.args(self.packages.iter().map(|package| format!("-l{}", stem(package))));
        succeeded(gcc);
    }
}

/// A compiled program.
#[derive(Debug)]
pub struct Program {
    file: PathBuf,
    libraries: PathBuf,
    _directory: TempDir,
}

impl Program {
    /// Runs the program with the libraries in an otherwise empty environment.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.file);
        command.env_clear().env("LD_LIBRARY_PATH", &self.libraries);
        command
    }
}

/// The argument of `-l` that links the library of a package.
fn stem(package: &str) -> String {
    package.trim_start_matches("lib").replace('-', "_")
}
