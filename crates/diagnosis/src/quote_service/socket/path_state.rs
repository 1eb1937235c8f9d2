//! The file at the socket's path.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

/// The kind of file at the socket's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathState {
    NoDirectory,
    /// A directory above it is closed to this user.
    Inaccessible,
    Missing,
    /// A directory, as container engines make it for a mounted file that is missing on the host.
    Directory,
    NotASocket,
    Socket,
}

impl PathState {
    pub(crate) fn of(socket: &Path) -> Self {
        match (fs::metadata(socket), socket.parent()) {
            (Ok(file), _) if file.file_type().is_socket() => Self::Socket,
            (Ok(file), _) if file.is_dir() => Self::Directory,
            (Ok(_), _) => Self::NotASocket,
            (Err(error), _) if error.kind() == ErrorKind::PermissionDenied => Self::Inaccessible,
            // The parent of a bare name is the empty path.
            (Err(_), Some(parent)) if parent != Path::new("") && !parent.exists() => {
                Self::NoDirectory
            }
            (Err(_), _) => Self::Missing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_states_are_distinguished() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name| directory.path().join(name);
        fs::write(path("file"), "").unwrap();
        fs::create_dir(path("directory")).unwrap();
        let _listener = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
        for (name, path_state) in [
            ("nowhere/socket", PathState::NoDirectory),
            ("nothing", PathState::Missing),
            ("directory", PathState::Directory),
            ("file", PathState::NotASocket),
            ("socket", PathState::Socket),
        ] {
            assert_eq!(PathState::of(&path(name)), path_state, "{name}");
        }
        assert_eq!(PathState::of(Path::new("nothing")), PathState::Missing);
    }
}
