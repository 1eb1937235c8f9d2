//! A program with privileges that whoever starts it lacks: set user id to one user, run by another.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::PACKAGES;
use crate::program::{gcc, libraries, source, stem, succeeded};

/// Whose program it is.
const OWNER: u32 = 64_321;
/// Who runs it.
const CALLER: u32 = 64_322;

/// A program of `tests/c` and the libraries that it is linked to.
pub(crate) struct Privileged {
    directory: TempDir,
    program: PathBuf,
}

impl Privileged {
    /// Compiles it, in a directory that every user can look into; `None` where nobody can be another user, or programs
    /// gain nothing: said loudly, since nothing is tested then.
    #[expect(clippy::print_stderr, reason = "nothing else would tell")]
    pub(crate) fn compile(name: &str) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
        for library in PACKAGES.map(|package| format!("lib{}.so.1", stem(package))) {
            fs::copy(libraries().join(&library), path.join(&library)).unwrap();
        }
        let program = path.join(name);
        let mut gcc = gcc("gcc");
        // The loader takes no directory from the environment of such a program.
        gcc.arg(format!("-Wl,-rpath,{}", path.display()));
        gcc.arg(source(&format!("{name}.c"))).arg("-o").arg(&program).arg("-L").arg(libraries());
        gcc.args(PACKAGES.map(|package| format!("-l{}", stem(package))));
        succeeded(&mut gcc);
        let privileged = Self { directory, program };
        match privileged.gains_privileges() {
            true => Some(privileged),
            false => {
                eprintln!(
                    "SKIPPED, NOTHING IS TESTED: set user id has no effect here (only root can try it)"
                );
                None
            }
        }
    }

    /// The program with its privileges.
    pub(crate) fn command(&self) -> Command {
        chown(&self.program, Some(OWNER), Some(OWNER)).unwrap();
        self.with_mode(0o4755)
    }

    /// The same program without.
    pub(crate) fn ordinary(&self) -> Command {
        self.with_mode(0o755)
    }

    /// A directory that every user can look into.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Its argument makes it tell whether it is privileged, and nothing else.
    fn gains_privileges(&self) -> bool {
        let is_root = rustix::process::geteuid().is_root();
        is_root && succeeded(self.command().arg("privileged?")).trim() == "1"
    }

    fn with_mode(&self, mode: u32) -> Command {
        fs::set_permissions(&self.program, Permissions::from_mode(mode)).unwrap();
        let mut command = Command::new(&self.program);
        command.env_clear().uid(CALLER).gid(CALLER);
        command
    }
}
