//! The socket's place in the file system.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

/// The longest path that a socket can have, in bytes.
const MAX_PATH: usize = 107;

/// A socket that listens at a path. Its file is removed when this is dropped, if it is still ours.
#[derive(Debug)]
pub struct BoundSocket {
    path: PathBuf,
    inode: (u64, u64),
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
        if path.as_os_str().len() > MAX_PATH {
            return Err(BindError::TooLong(path.to_owned()));
        }
        let failed = |source| BindError::Io { path: path.to_owned(), source };
        let parent = path.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(parent).map_err(failed)?;
        ensure_vacant(path)?;
        // Bound beside and renamed over: at no moment is there no socket, or one that is not open.
        let mut beside = tempfile::Builder::new();
        beside.prefix(".").rand_bytes(3);
        let socket = beside.make_in(parent, |beside| UnixListener::bind(beside)).map_err(failed)?;
        fs::set_permissions(socket.path(), Permissions::from_mode(0o666)).map_err(failed)?;
        let inode = inode(&fs::symlink_metadata(socket.path()).map_err(failed)?);
        let listener = socket.persist(path).map_err(|error| failed(error.error))?;
        Ok((Self { path: path.to_owned(), inode }, listener))
    }
}

impl Drop for BoundSocket {
    fn drop(&mut self) {
        let ours = fs::symlink_metadata(&self.path).is_ok_and(|file| inode(&file) == self.inode);
        if ours {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether a new socket may take the path: nothing is there, or the socket of nobody.
fn ensure_vacant(path: &Path) -> Result<(), BindError> {
    let file = match fs::symlink_metadata(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(BindError::Io { path: path.to_owned(), source }),
    };
    if !file.file_type().is_socket() {
        return Err(BindError::NotASocket(path.to_owned()));
    }
    match connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(()),
        _ => Err(BindError::InUse(path.to_owned())),
    }
}

/// Whether somebody would accept a connection; one that would have to wait counts as an error.
fn connect(path: &Path) -> io::Result<()> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    Ok(rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?)
}

fn inode(file: &fs::Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}
