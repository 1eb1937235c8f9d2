//! The users who may connect to a socket.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

/// The users who may connect to a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SocketAccess {
    /// Every user of the machine, as AESM clients expect: mode 0666.
    #[default]
    Everybody,
    /// The members of the group with this id, the owner and root: mode 0660.
    Group(u32),
    /// The owner and root: mode 0600.
    Owner,
}

impl SocketAccess {
    /// Sets the group and the mode of the socket at this path.
    pub(crate) fn apply(self, path: &Path) -> io::Result<()> {
        let mode = match self {
            Self::Everybody => 0o666,
            Self::Owner => 0o600,
            Self::Group(group) => {
                chown(path, None, Some(group)).map_err(|error| not_a_member(group, error))?;
                0o660
            }
        };
        fs::set_permissions(path, Permissions::from_mode(mode))
    }
}

fn not_a_member(group: u32, error: io::Error) -> io::Error {
    if error.kind() != ErrorKind::PermissionDenied {
        return error;
    }
    let message = format!(
        "cannot give it to group {group}: the service's user is not a member; add it, or choose \
         another group"
    );
    io::Error::new(ErrorKind::PermissionDenied, message)
}
