//! Changes the owner of a directory's contents.
//!
//! Symbolic links are not followed. Only entries of the previous owner change, which that user
//! could have changed anyway.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Dir, FileType, Mode, OFlags, Uid, fstat, openat};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::{Owner, change_owner};

/// The maximum depth; no state is that deep.
const MAX_DEPTH: u32 = 16;

/// Gives entries of the directory's owner to a new one. The directory itself keeps its owner until
/// the end, so that an interrupted run can be repeated.
pub(super) fn give_contents(directory: BorrowedFd<'_>, owner: Owner) -> Result<(), Errno> {
    let previous = Owner::of(&fstat(directory)?);
    let is_root = previous.uid.is_root();
    if is_root || previous == owner || previous.uid == geteuid() {
        return Ok(());
    }
    Change { previous: previous.uid, owner }.entries(directory, MAX_DEPTH)
}

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
            // The opened entry is checked and changed, even if its name is replaced meanwhile.
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
        // Directories of this process may be from an interrupted run.
        if owner == self.previous || owner == geteuid() {
            self.entries(entry, depth)?;
            change_owner(entry, self.owner)?;
        }
        Ok(())
    }

    /// Opens the directory for reading. Without the capability to read directories of others, root
    /// becomes the owner first.
    fn readable(self, directory: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let open = || openat(directory, c".", flags, Mode::empty());
        open().or_else(|error| match error {
            Errno::ACCESS => change_owner(directory, Owner::of_process()).and_then(|()| open()),
            error => Err(error),
        })
    }
}
