//! The socket's place in the file system.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::net::SocketAddrUnix;

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
        if SocketAddrUnix::new(path).is_err() {
            return Err(BindError::TooLong(path.to_owned()));
        }
        let failed = |source| BindError::Io { path: path.to_owned(), source };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        ensure_vacant(path)?;
        // Bound beside and renamed over: at no moment is there no socket, or one that is not open.
        let beside = path.with_extension(std::process::id().to_string());
        let listener = UnixListener::bind(&beside).map_err(failed)?;
        let placed = place(&beside, path).map_err(failed);
        if placed.is_err() {
            let _ = fs::remove_file(&beside);
        }
        Ok((Self { path: path.to_owned(), inode: placed? }, listener))
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
    match UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(()),
        _ => Err(BindError::InUse(path.to_owned())),
    }
}

fn place(beside: &Path, path: &Path) -> io::Result<(u64, u64)> {
    fs::set_permissions(beside, Permissions::from_mode(0o666))?;
    let inode = inode(&fs::symlink_metadata(beside)?);
    fs::rename(beside, path)?;
    Ok(inode)
}

fn inode(file: &fs::Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}
