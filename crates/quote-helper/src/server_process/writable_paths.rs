//! The paths that a server may write.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// Files and directories that exist; below the directories everything may be written.
#[derive(Debug, Default)]
pub(crate) struct WritablePaths {
    pub(super) paths: Vec<PathBuf>,
    /// Those of the configuration that do not exist.
    pub(super) missing: Vec<PathBuf>,
}

impl WritablePaths {
    /// Adds a directory for this user alone, which is made if it is missing.
    ///
    /// # Errors
    /// If it cannot be made. Something else at this path is for its user to report.
    pub(crate) fn add_private(&mut self, directory: &Path) -> anyhow::Result<()> {
        match private_directory::make(directory) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => made.with_context(|| cannot_make(directory))?,
        }
        self.add_existing([directory]);
        Ok(())
    }

    /// Adds a directory that everybody may read, which is made if it is missing.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(crate) fn add_readable(&mut self, directory: &Path) -> anyhow::Result<()> {
        private_directory::make_readable(directory).with_context(|| cannot_make(directory))?;
        self.add_existing([directory]);
        Ok(())
    }

    pub(crate) fn add_existing(&mut self, paths: impl IntoIterator<Item = impl AsRef<Path>>) {
        let paths = paths.into_iter().map(|path| path.as_ref().to_owned());
        self.paths.extend(paths.filter(|path| path.exists()));
    }

    /// Adds those that exist; the log warns of the others.
    pub(crate) fn add_configured<'a>(&mut self, paths: impl IntoIterator<Item = &'a PathBuf>) {
        let (there, missing): (Vec<_>, Vec<_>) =
            paths.into_iter().cloned().partition(|path| path.exists());
        self.paths.extend(there);
        self.missing.extend(missing);
    }
}

pub(crate) fn parent(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
        Some(parent) => parent.to_owned(),
        None => PathBuf::from("/"),
    }
}

impl fmt::Display for WritablePaths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, path) in self.paths.iter().enumerate() {
            let space = if number == 0 { "" } else { " " };
            write!(f, "{space}{}", path.display())?;
        }
        Ok(())
    }
}

fn cannot_make(directory: &Path) -> String {
    format!("cannot make the directory {}", directory.display())
}
