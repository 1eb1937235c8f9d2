use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::{CPrograms, stem, succeeded};

/// The user whose program it is.
const OWNER: u32 = 64_321;
/// The user who runs it.
const CALLER: u32 = 64_322;

/// A set-user-id program that another user runs, with the libraries beside it.
#[derive(Debug)]
pub struct Privileged {
    directory: TempDir,
    program: PathBuf,
}

impl CPrograms {
    /// Compiles a program that can be [`Privileged`], in a directory that every user can read.
    ///
    /// `None`, with a loud note, where set-user-id has no effect: not root, or a `nosuid` mount.
    #[expect(clippy::print_stderr, reason = "a test that tests nothing must be seen")]
    pub fn compile_privileged(&self, name: &str) -> Option<Privileged> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
        for package in self.packages {
            let library = format!("lib{}.so.1", stem(package));
            fs::copy(self.libraries().join(&library), path.join(&library)).unwrap();
        }
        let program = path.join(name);
        let mut gcc = self.gcc("gcc");
        // The loader takes no directory from the environment of such a program.
        gcc.arg(format!("-Wl,-rpath,{}", path.display()));
        self.link(gcc.arg(self.source(&format!("{name}.c"))).arg("-o").arg(&program));
        let privileged = Privileged { directory, program };
        if !privileged.gains_privileges() {
            eprintln!("SKIPPED, NOTHING IS TESTED: set-user-id has no effect (only root can try)");
            return None;
        }
        Some(privileged)
    }
}

impl Privileged {
    /// Runs the program with its privileges.
    pub fn command(&self) -> Command {
        chown(&self.program, Some(OWNER), Some(OWNER)).unwrap();
        self.with_mode(0o4755)
    }

    /// Runs the same program without privileges.
    pub fn ordinary(&self) -> Command {
        self.with_mode(0o755)
    }

    /// The program's directory, which every user can read.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

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
