//! The identity of a file at a path.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

/// A file at a path, held open so that its inode number is not given to another file.
#[derive(Debug)]
pub struct SocketFile {
    pub(crate) path: PathBuf,
    id: FileId,
    _held: OwnedFd,
}

/// The device and inode of a file, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileId {
    pub(crate) device: u64,
    pub(crate) inode: u64,
}

/// A change of the file at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    /// The file is there.
    Unchanged,
    /// No file is there.
    Removed,
    /// Another file is there.
    Replaced,
}

impl SocketFile {
    /// The file at `path`, which is not opened for reading or writing.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let held = rustix::fs::open(path, flags, Mode::empty())?;
        let file = rustix::fs::fstat(&held)?;
        let id = FileId { device: file.st_dev, inode: file.st_ino };
        Ok(Self { path: path.to_owned(), id, _held: held })
    }

    /// The identity of the file, as long as this is held.
    #[must_use]
    pub fn id(&self) -> FileId {
        self.id
    }

    /// Compares the file at the path with this one.
    ///
    /// # Errors
    /// Those of the operating system, except that there is no file.
    pub fn state(&self) -> io::Result<FileState> {
        match fs::symlink_metadata(&self.path) {
            Ok(file) if FileId::of(&file) == self.id => Ok(FileState::Unchanged),
            Ok(_) => Ok(FileState::Replaced),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(FileState::Removed),
            Err(error) => Err(error),
        }
    }

    /// The same file, renamed to `path`.
    pub(crate) fn at(self, path: &Path) -> Self {
        Self { path: path.to_owned(), ..self }
    }

    pub(crate) fn is_unchanged(&self) -> bool {
        self.state().is_ok_and(|state| state == FileState::Unchanged)
    }
}

impl FileId {
    pub(crate) fn of(file: &Metadata) -> Self {
        Self { device: file.dev(), inode: file.ino() }
    }
}
