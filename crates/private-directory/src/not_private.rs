//! Reasons why a directory is not private, with the command that mends it.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};

use nix::unistd::{Uid, User};

/// Somebody else could change a directory or a file.
#[derive(Debug, thiserror::Error)]
pub enum NotPrivate {
    /// The directory, with all that is in it, is another user's, who is not root.
    ///
    /// The way out is to act as that user. To give the directory away would take it from the
    /// service that uses it.
    #[error(
        "{} belongs to {owner}, who can change what is kept there; {}", .path.display(),
        RunAs { owner, this_user: *.this_user }
    )]
    Owner {
        /// The directory, or a file in it.
        path: PathBuf,
        /// The owner.
        owner: Account,
        /// The user who wants to use it, as a number.
        this_user: u32,
    },
    /// A file is neither root's nor of the user whom its directory belongs to.
    #[error(
        "{} belongs to {owner}, and its directory to {directory_owner}; if its content is right, give it to the \
         directory's owner: chown {} {}", .path.display(), .directory_owner.uid, quoted(.path)
    )]
    File {
        /// The file.
        path: PathBuf,
        /// The owner of the file.
        owner: Account,
        /// The owner of its directory.
        directory_owner: Account,
    },
    /// Its group, or everybody, may write to it.
    #[error(
        "{} ({owner}, mode {mode:04o}) may be changed by others than its owner; take that from them: chmod go-w {}",
        .path.display(), quoted(.path)
    )]
    Mode {
        /// The directory or the file.
        path: PathBuf,
        /// The owner.
        owner: Account,
        /// Its permissions, the lowest 12 bits.
        mode: u32,
    },
}

/// A user of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The number of the user.
    pub uid: u32,
    /// The name of the user; `None` if the system knows no name for the number.
    pub name: Option<String>,
}

impl Account {
    pub(crate) fn of(uid: u32) -> Self {
        let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
        Self { uid, name: user.map(|user| user.name) }
    }

    /// The words before a command with which root runs it as this user.
    #[must_use]
    pub fn command_prefix(&self) -> String {
        match self {
            Self { name: Some(name), .. } => format!("runuser -u {name} --"),
            // runuser takes names alone.
            Self { name: None, uid } => {
                format!("setpriv --reuid {uid} --regid {uid} --clear-groups")
            }
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} (user {})", self.uid),
            None => write!(f, "user {}", self.uid),
        }
    }
}

/// Advice to run this program as the owner, who root can become by a command.
struct RunAs<'a> {
    owner: &'a Account,
    this_user: u32,
}

impl fmt::Display for RunAs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { owner, this_user } = self;
        let program = program();
        match (this_user, &owner.name) {
            (0, _) => write!(f, "run this as that user: {} {program} …", owner.command_prefix()),
            (_, Some(name)) => write!(
                f,
                "run this as that user (sudo -u {name} {program} …), or use a directory of your own"
            ),
            (_, None) => f.write_str("run this as that user, or use a directory of your own"),
        }
    }
}

/// The name of this program, as a word of a command.
fn program() -> String {
    let name = env::args_os().next().unwrap_or_default();
    quoted(Path::new(Path::new(&name).file_name().unwrap_or_default()))
}

/// A path as one word of a command.
#[must_use]
pub fn quoted(path: &Path) -> String {
    // Only a NUL has no form, and no path has one.
    let path = path.to_string_lossy();
    shlex::try_quote(&path).map_or_else(|_| path.to_string(), Into::into)
}
