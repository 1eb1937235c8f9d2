//! What is in a directory that changes its owner.
//!
//! Nothing follows a symbolic link, and only entries of the previous owner change: whoever that was could have
//! written them anyway.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Dir, FileType, Mode, OFlags, Uid, fstat, openat};
use rustix::io::Errno;
use rustix::process::{getegid, geteuid};

use super::{Owner, change_owner};

/// More levels than any state has.
const MAX_DEPTH: u32 = 16;

/// Gives what belongs to the directory's owner to a new one, while the directory itself has still its own: if
/// this is interrupted, it can be done again.
pub(super) fn give_contents(directory: BorrowedFd<'_>, owner: Owner) -> Result<(), Errno> {
    let previous = Owner::of(&fstat(directory)?);
    let is_root = previous.uid.is_root();
    if is_root || previous == owner || previous.uid == geteuid() {
        return Ok(());
    }
    Change { previous: previous.uid, owner }.entries(directory, MAX_DEPTH)
}

/// From whom to whom.
#[derive(Clone, Copy)]
struct Change {
    previous: Uid,
    owner: Owner,
}

impl Change {
    fn entries(self, directory: BorrowedFd<'_>, depth: u32) -> Result<(), Errno> {
        let Some(depth) = depth.checked_sub(1) else { return Err(Errno::LOOP) };
        for entry in Dir::read_from(self.readable(directory)?)? {
            let entry = entry?;
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            // What is looked at is what is changed, whatever has its name by then.
            let flags = OFlags::NOFOLLOW | OFlags::PATH | OFlags::CLOEXEC;
            self.entry(openat(directory, name, flags, Mode::empty())?.as_fd(), depth)?;
        }
        Ok(())
    }

    fn entry(self, entry: BorrowedFd<'_>, depth: u32) -> Result<(), Errno> {
        let stat = fstat(entry)?;
        let owner = Uid::from_raw(stat.st_uid);
        if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
            return if owner == self.previous { change_owner(entry, self.owner) } else { Ok(()) };
        }
        // One of this process may be from a run that was interrupted.
        if owner == self.previous || owner == geteuid() {
            self.entries(entry, depth)?;
            change_owner(entry, self.owner)?;
        }
        Ok(())
    }

    /// Opened for reading. Root may read what is not its own only with another capability, or when it is its own.
    fn readable(self, directory: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let open = || openat(directory, c".", flags, Mode::empty());
        open().or_else(|error| match error {
            Errno::ACCESS => change_owner(directory, this_process()).and_then(|()| open()),
            error => Err(error),
        })
    }
}

fn this_process() -> Owner {
    Owner { uid: geteuid(), gid: getegid() }
}
