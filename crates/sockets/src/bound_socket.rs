//! The socket's place in the file system.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use crate::access::SocketAccess;
use crate::peer::Peer;

/// The longest path that a socket can have, in bytes.
const MAX_PATH: usize = 107;

/// A socket's file at its path. It is removed when this is dropped, if it is still the same file.
#[derive(Debug)]
pub struct BoundSocket(Place);

/// A file at a path, whoever's it is.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    pub(crate) file: FileId,
}

/// Which file it is, whatever it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileId {
    pub(crate) device: u64,
    pub(crate) inode: u64,
}

/// Who is at a path.
pub(crate) enum Occupant {
    /// Nothing, or the socket of a process that has died.
    Nobody,
    /// Somebody who listens, with a connection to them unless their backlog is full.
    Somebody(Option<UnixStream>),
}

/// Why the service cannot listen at a path.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The kernel takes no such path for a socket.
    #[error("the socket path {} is too long: a socket's path has at most 107 bytes", .0.display())]
    TooLong(PathBuf),
    /// Something else is there.
    #[error("{} is there and is no socket; choose another path or remove it", .0.display())]
    NotASocket(PathBuf),
    /// A service is there, and stays.
    #[error(
        "another service is listening at {}; stop it first (an aesmd of the system, maybe?) or \
         choose another path", .0.display()
    )]
    InUse(PathBuf),
    /// The file system says no.
    #[error("cannot listen at {}: {source}", .path.display())]
    Io {
        /// The path of the socket.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl BoundSocket {
    /// Listens at `path`, open to every user of the machine as AESM clients expect. Missing parent
    /// directories are made; the socket of a service that died is replaced in one step.
    ///
    /// # Errors
    /// [`BindError`]; nothing that is alive, or no socket, is ever removed.
    pub fn listen(path: &Path) -> Result<(Self, UnixListener), BindError> {
        Self::listen_for(path, SocketAccess::Everybody)
    }

    /// Does the same for those who may connect.
    ///
    /// # Errors
    /// Those of [`BoundSocket::listen`].
    pub fn listen_for(
        path: &Path,
        access: SocketAccess,
    ) -> Result<(Self, UnixListener), BindError> {
        Self::listen_after(None, path, access)
    }

    /// Does the same, and the socket of this predecessor does not count: it is about to end. Has to be
    /// called within a runtime if there is a predecessor.
    ///
    /// # Errors
    /// Those of [`BoundSocket::listen`].
    pub fn listen_after(
        predecessor: Option<Peer>,
        path: &Path,
        access: SocketAccess,
    ) -> Result<(Self, UnixListener), BindError> {
        prepare(path)?;
        if let Occupant::Somebody(stream) = Occupant::of(path)? {
            let stream = stream.filter(|_| predecessor.is_some());
            let holder = stream.and_then(|stream| Peer::of(stream).ok());
            if holder.is_none() || holder != predecessor {
                return Err(BindError::InUse(path.to_owned()));
            }
        }
        Self::replace(path, access)
    }

    /// Listens at `path`, whoever else does.
    pub(crate) fn replace(
        path: &Path,
        access: SocketAccess,
    ) -> Result<(Self, UnixListener), BindError> {
        let failed = |source| BindError::Io { path: path.to_owned(), source };
        // Bound beside and renamed over: at no moment is there no socket, or one that is not open.
        let mut beside = tempfile::Builder::new();
        beside.prefix(".").rand_bytes(3);
        let socket =
            beside.make_in(parent(path), |beside| UnixListener::bind(beside)).map_err(failed)?;
        access.apply(socket.path()).map_err(failed)?;
        let file = FileId::at(socket.path()).map_err(failed)?;
        let listener = socket.persist(path).map_err(|error| failed(error.error))?;
        Ok((Self(Place { path: path.to_owned(), file }), listener))
    }

    /// Takes the file over from another process.
    pub(crate) fn adopt(place: Place) -> Self {
        Self(place)
    }

    /// Leaves the file to another process.
    pub(crate) fn leave(self) {
        std::mem::forget(self);
    }

    pub(crate) fn file(&self) -> FileId {
        self.0.file
    }

    pub(crate) fn place(&self) -> &Place {
        &self.0
    }
}

impl Drop for BoundSocket {
    fn drop(&mut self) {
        if self.0.is_as_it_was() {
            let _ = fs::remove_file(&self.0.path);
        }
    }
}

impl Place {
    /// Whether this file is at this path.
    pub(crate) fn is_as_it_was(&self) -> bool {
        FileId::at(&self.path).is_ok_and(|found| found == self.file)
    }
}

impl FileId {
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        let file = fs::symlink_metadata(path)?;
        Ok(Self { device: file.dev(), inode: file.ino() })
    }
}

impl Occupant {
    /// Looks who is at the path, without taking anything from them.
    pub(crate) fn of(path: &Path) -> Result<Self, BindError> {
        let file = match fs::symlink_metadata(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::Nobody),
            Err(source) => return Err(BindError::Io { path: path.to_owned(), source }),
        };
        if !file.file_type().is_socket() {
            return Err(BindError::NotASocket(path.to_owned()));
        }
        match connect(path) {
            Ok(stream) => Ok(Self::Somebody(Some(stream))),
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(Self::Nobody),
            Err(_) => Ok(Self::Somebody(None)),
        }
    }
}

/// Makes the directory of a socket, if the path can be a socket's.
pub(crate) fn prepare(path: &Path) -> Result<(), BindError> {
    check_length(path)?;
    let failed = |source| BindError::Io { path: path.to_owned(), source };
    private_directory::make_readable(parent(path)).map_err(failed)
}

/// Checks that the path can be a socket's.
pub(crate) fn check_length(path: &Path) -> Result<(), BindError> {
    if path.as_os_str().len() > MAX_PATH {
        return Err(BindError::TooLong(path.to_owned()));
    }
    Ok(())
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}

/// Connects if somebody would accept it; a connection that would have to wait counts as an error.
fn connect(path: &Path) -> io::Result<UnixStream> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(socket.into())
}
