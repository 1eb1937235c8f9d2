//! A listening socket in the file system.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use crate::access::SocketAccess;
use crate::peer::Peer;
use crate::socket_file::SocketFile;

/// The longest path of a socket, in bytes.
const MAX_PATH: usize = 107;

/// A socket's file, removed on drop if the same file is still at its path.
#[derive(Debug)]
pub struct BoundSocket {
    file: Arc<SocketFile>,
    is_ours: bool,
}

/// The process that listens at a path.
pub(crate) enum ExistingListener {
    /// None; or a dead one has left its socket.
    None,
    /// One whose backlog is full.
    Busy,
    /// One that this connection is to.
    Connected(UnixStream),
}

/// A service cannot listen at a path.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The path is longer than the kernel allows.
    #[error("the socket path {} is too long: a socket's path has at most 107 bytes", .0.display())]
    TooLong(PathBuf),
    /// A file that is not a socket is there.
    #[error("{} exists and is not a socket; choose another path, or remove it", .0.display())]
    NotASocket(PathBuf),
    /// Another service listens there.
    #[error(
        "another service is listening at {}; stop it first (for example the system's aesmd), or \
         choose another path", .0.display()
    )]
    InUse(PathBuf),
    /// The operating system refuses.
    #[error("cannot listen at {}: {source}", .path.display())]
    Io {
        /// The path of the socket.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

impl BoundSocket {
    /// Listens at `path`, open to every user, without blocking. Makes missing parent directories,
    /// and replaces the socket of a dead process in one step.
    ///
    /// # Errors
    /// [`BindError`]; no file but the socket of a dead process is ever replaced.
    pub fn listen(path: &Path) -> Result<(Self, UnixListener), BindError> {
        Self::listen_after(None, path, SocketAccess::Everybody)
    }

    /// Does the same for chosen users, and replaces the socket of `predecessor` too.
    ///
    /// # Errors
    /// Those of [`BoundSocket::listen`].
    pub fn listen_after(
        predecessor: Option<Peer>,
        path: &Path,
        access: SocketAccess,
    ) -> Result<(Self, UnixListener), BindError> {
        prepare(path)?;
        match ExistingListener::at(path)? {
            ExistingListener::None => {}
            ExistingListener::Connected(stream)
                if predecessor.is_some() && Peer::of(&stream).ok() == predecessor => {}
            _ => return Err(BindError::InUse(path.to_owned())),
        }
        Self::replace(path, access)
    }

    /// Listens at `path` in place of any socket that is there.
    ///
    /// # Errors
    /// [`BindError::Io`].
    pub fn replace(path: &Path, access: SocketAccess) -> Result<(Self, UnixListener), BindError> {
        Self::bind(path, access).map_err(|source| BindError::Io { path: path.to_owned(), source })
    }

    /// Binds beside the path and renames: a socket is always there, and never without its mode.
    fn bind(path: &Path, access: SocketAccess) -> io::Result<(Self, UnixListener)> {
        let mut beside = tempfile::Builder::new();
        beside.prefix(".").rand_bytes(3);
        let socket = beside.make_in(parent(path), |beside| UnixListener::bind(beside))?;
        access.apply(socket.path())?;
        socket.as_file().set_nonblocking(true)?;
        let file = SocketFile::open(socket.path())?.at(path);
        let listener = socket.persist(path).map_err(|error| error.error)?;
        Ok((Self::adopt(file), listener))
    }

    /// Makes the same socket available at `path` too, in place of any socket that is there. Both
    /// paths must be on the same file system.
    ///
    /// # Errors
    /// [`BindError::Io`].
    pub fn link(&self, path: &Path) -> Result<Self, BindError> {
        let linked = self.link_beside(path);
        linked.map(Self::adopt).map_err(|source| BindError::Io { path: path.to_owned(), source })
    }

    fn link_beside(&self, path: &Path) -> io::Result<SocketFile> {
        let mut beside = tempfile::Builder::new();
        beside.prefix(".").rand_bytes(3);
        let link = |beside: &Path| fs::hard_link(&self.file.path, beside);
        let linked = beside.make_in(parent(path), link)?.into_temp_path();
        let file = SocketFile::open(&linked)?.at(path);
        linked.persist(path).map_err(|error| error.error)?;
        Ok(file)
    }

    /// Takes the file over from another process.
    pub(crate) fn adopt(file: SocketFile) -> Self {
        Self { file: Arc::new(file), is_ours: true }
    }

    /// Leaves the file to another process.
    pub(crate) fn leave(mut self) {
        self.is_ours = false;
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &Arc<SocketFile> {
        &self.file
    }
}

impl Drop for BoundSocket {
    fn drop(&mut self) {
        if self.is_ours && self.file.is_unchanged() {
            let _ = fs::remove_file(&self.file.path);
        }
    }
}

impl ExistingListener {
    /// Connects to the socket at the path, and sends nothing.
    pub(crate) fn at(path: &Path) -> Result<Self, BindError> {
        let file = match fs::symlink_metadata(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::None),
            Err(source) => return Err(BindError::Io { path: path.to_owned(), source }),
        };
        if !file.file_type().is_socket() {
            return Err(BindError::NotASocket(path.to_owned()));
        }
        match connect(path) {
            Ok(stream) => Ok(Self::Connected(stream)),
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(Self::None),
            Err(_) => Ok(Self::Busy),
        }
    }

    pub(crate) fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}

/// Checks the path, and makes the directory of the socket.
pub(crate) fn prepare(path: &Path) -> Result<(), BindError> {
    check_length(path)?;
    let failed = |source| BindError::Io { path: path.to_owned(), source };
    private_directory::make_readable(parent(path)).map_err(failed)
}

pub(crate) fn check_length(path: &Path) -> Result<(), BindError> {
    if path.as_os_str().len() > MAX_PATH {
        return Err(BindError::TooLong(path.to_owned()));
    }
    Ok(())
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}

/// Connects without waiting: a full backlog is an error.
fn connect(path: &Path) -> io::Result<UnixStream> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(socket.into())
}
