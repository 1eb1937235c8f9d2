//! The files by which an instance finds its predecessor, apart from the applications' directory.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use private_directory::NotPrivate;

use super::secret::{Secret, SecretError};
use crate::bound_socket::{BindError, check_length};

/// The directory of these files, below the state directory.
pub const PRIVATE_DIRECTORY: &str = "hand-over";
const SECRET: &str = "secret";
/// The length, in bytes, of the digest that tells sockets with one state directory apart.
const DIGEST_SIZE: usize = 8;

/// The files of the instances that serve at one path, below the private state directory.
#[derive(Debug, Clone)]
pub struct PrivateFiles {
    /// The socket at which a successor asks.
    pub control: PathBuf,
    /// Locked by the instance that starts.
    pub lock: PathBuf,
    /// Known to every process that can read the directory.
    pub secret: Secret,
}

/// The private files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PrivateFilesError {
    /// A path cannot be used.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// Others can change the state directory.
    #[error(transparent)]
    NotPrivate(#[from] NotPrivate),
    /// The secret cannot be used.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl PrivateFiles {
    /// The files for the applications' socket at `path`, whose directory must exist. Makes the
    /// directory below `state_dir` and the secret if they are missing.
    ///
    /// # Errors
    /// [`PrivateFilesError`].
    pub fn open(path: &Path, state_dir: &Path) -> Result<Self, PrivateFilesError> {
        let directory = private_directory(state_dir)?;
        let name = name(path)?;
        let control = directory.join(format!("{name}.socket"));
        check_length(&control).map_err(|_| too_long(state_dir))?;
        let lock = directory.join(format!("{name}.lock"));
        Ok(Self { control, lock, secret: Secret::open(&directory.join(SECRET))? })
    }
}

/// Makes the directory, which only this user and root can enter.
fn private_directory(state_dir: &Path) -> Result<PathBuf, PrivateFilesError> {
    let directory = state_dir.join(PRIVATE_DIRECTORY);
    let failed = |source| BindError::Io { path: directory.clone(), source };
    // First: in another user's directory root would make one that keeps that user's instance out.
    private_directory::check_place(state_dir)?;
    private_directory::make(&directory).map_err(failed)?;
    private_directory::check(state_dir)?;
    private_directory::check(&directory)?;
    if fs::metadata(&directory).map_err(failed)?.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(&directory, Permissions::from_mode(0o700)).map_err(failed)?;
    }
    Ok(directory)
}

/// A name that is the same for every spelling of the path.
fn name(path: &Path) -> Result<String, BindError> {
    let failed = |source| BindError::Io { path: path.to_owned(), source };
    let absolute = std::path::absolute(path).map_err(failed)?;
    let parent = absolute.parent().unwrap_or(Path::new("/"));
    let parent = parent.canonicalize().map_err(failed)?;
    let path = parent.join(absolute.file_name().unwrap_or(OsStr::new("")));
    let digest = digest::digest(&digest::SHA256, path.as_os_str().as_bytes());
    Ok(hex::encode(digest.as_ref().get(..DIGEST_SIZE).unwrap_or_default()))
}

fn too_long(state_dir: &Path) -> BindError {
    let message = "its path is too long for a socket below it; choose a state directory whose path \
                   has at most 73 bytes";
    BindError::Io { path: state_dir.to_owned(), source: io::Error::other(message) }
}
