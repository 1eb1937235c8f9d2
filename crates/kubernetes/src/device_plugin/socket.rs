//! A plugin's socket in the kubelet's directory.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

/// A socket of ours. Its file is removed when this is dropped, if it is still ours.
#[derive(Debug)]
pub(crate) struct PluginSocket {
    path: PathBuf,
    file: FileId,
}

/// What has become of a socket's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is there.
    Present,
    /// It is gone: the kubelet removes all sockets when it starts.
    Removed,
    /// Another process has put its own in the same place.
    Replaced,
}

/// What tells one file from another that later has the same path. A file system can give a new file
/// the number of an old one, hence the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileId {
    device: u64,
    inode: u64,
    modified: (i64, i64),
}

impl FileId {
    /// Of the file at the path.
    ///
    /// # Errors
    /// What the system says, for instance that there is none.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let file = fs::symlink_metadata(path)?;
        Ok(Self {
            device: file.dev(),
            inode: file.ino(),
            modified: (file.mtime(), file.mtime_nsec()),
        })
    }
}

impl PluginSocket {
    /// Listens at `path`, and replaces in one step the socket that may be there: of a process that died,
    /// or of one whose place this one takes.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn listen(path: PathBuf) -> io::Result<(Self, UnixListener)> {
        let parent = path.parent().unwrap_or(Path::new("/"));
        let beside = tempfile::Builder::new()
            .prefix(".")
            .rand_bytes(3)
            .make_in(parent, |beside| UnixListener::bind(beside))?;
        let listener = beside.persist(&path).map_err(|error| error.error)?;
        let file = FileId::of(&path)?;
        Ok((Self { path, file }, listener))
    }

    /// What has become of the file.
    ///
    /// # Errors
    /// What the system says if it does not tell.
    pub(crate) fn fate(&self) -> io::Result<Fate> {
        match FileId::of(&self.path) {
            Ok(file) if file == self.file => Ok(Fate::Present),
            Ok(_) => Ok(Fate::Replaced),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Fate::Removed),
            Err(error) => Err(error),
        }
    }
}

impl Drop for PluginSocket {
    fn drop(&mut self) {
        if matches!(self.fate(), Ok(Fate::Present)) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_knows_what_has_become_of_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("plugin.sock");
        let (socket, _listener) = PluginSocket::listen(path.clone()).unwrap();
        assert_eq!(socket.fate().unwrap(), Fate::Present);
        let (later, _listener) = PluginSocket::listen(path.clone()).unwrap();
        assert_eq!(socket.fate().unwrap(), Fate::Replaced);
        drop(socket);
        assert_eq!(later.fate().unwrap(), Fate::Present, "what is not ours is not removed");
        fs::remove_file(&path).unwrap();
        assert_eq!(later.fate().unwrap(), Fate::Removed);
        let (last, _listener) = PluginSocket::listen(path.clone()).unwrap();
        drop(last);
        assert!(!path.exists(), "what is ours is removed");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "and nothing else is left");
    }
}
