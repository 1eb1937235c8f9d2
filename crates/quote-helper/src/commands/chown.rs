//! `own`: gives directories to the user that a service of the add-on runs as, with what an earlier version made
//! in them as another user. An init container runs it as root, with the capability CHOWN alone.

mod contents;

use std::fs::symlink_metadata;
use std::io::ErrorKind;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, anyhow};
use clap::Args;
use rustix::fs::{AtFlags, Gid, Mode, OFlags, Stat, Uid, chmodat, chownat, fstat, open};
use rustix::io::Errno;
use rustix::process::{getegid, geteuid};

use self::contents::give_contents;
use crate::failure::Failure;
use crate::output;

/// The owner makes and removes the socket; everybody may look for it.
const MODE: Mode =
    Mode::RWXU.union(Mode::RGRP).union(Mode::XGRP).union(Mode::ROTH).union(Mode::XOTH);

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The user's number; the group's, if it is another one, after a colon.
    #[arg(long, value_name = "UID[:GID]")]
    user: Owner,

    /// Skips directories that are not there.
    #[arg(long)]
    if_present: bool,

    /// The directories. They get the mode 0755; what is in them and belongs to their owner of before gets the
    /// new one.
    #[arg(required = true, value_name = "DIRECTORY")]
    directories: Vec<PathBuf>,
}

/// Whose a directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Owner {
    uid: Uid,
    gid: Gid,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let owner = arguments.user;
    for directory in &arguments.directories {
        if arguments.if_present && is_missing(directory) {
            output::note(format_args!("{} is not there", directory.display()));
            continue;
        }
        let opened = open_directory(directory)?;
        let given = give_contents(opened.as_fd(), owner).and_then(|()| give(opened.as_fd(), owner));
        given.map_err(|error| cannot_give(directory, owner, error))?;
        output::note(format_args!("{} is of user {}", directory.display(), owner.uid.as_raw()));
    }
    Ok(())
}

fn is_missing(path: &Path) -> bool {
    symlink_metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Opens the directory itself: whatever the path leads to later, it is this one that is changed. Only as a
/// path, for which it need not be readable.
fn open_directory(path: &Path) -> anyhow::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::PATH | OFlags::CLOEXEC;
    open(path, flags, Mode::empty()).map_err(|error| match error {
        // What the kernel says of a symbolic link, too.
        Errno::NOTDIR | Errno::LOOP => anyhow!(
            "{} is not a directory, but a file or a symbolic link; remove it, or name another place",
            path.display()
        ),
        error => anyhow::Error::from(error).context(format!("cannot open {}", path.display())),
    })
}

/// Sets mode and owner, as far as they are others. For the mode the directory is taken over first: so the
/// capability FOWNER is not needed, nor any at all where nothing is to be done.
fn give(directory: BorrowedFd<'_>, owner: Owner) -> Result<(), Errno> {
    let this_process = Owner { uid: geteuid(), gid: getegid() };
    if Mode::from_raw_mode(fstat(directory)?.st_mode) != MODE {
        change_owner(directory, this_process)?;
        chmodat(directory, ".", MODE, AtFlags::empty())?;
    }
    change_owner(directory, owner)
}

fn change_owner(directory: BorrowedFd<'_>, owner: Owner) -> Result<(), Errno> {
    match Owner::of(&fstat(directory)?) == owner {
        true => Ok(()),
        false => chownat(directory, "", Some(owner.uid), Some(owner.gid), AtFlags::EMPTY_PATH),
    }
}

fn cannot_give(directory: &Path, owner: Owner, error: Errno) -> anyhow::Error {
    let what = format!("cannot give {} to user {}", directory.display(), owner.uid.as_raw());
    match error {
        Errno::PERM => anyhow!("{what}: this needs root with the capability CHOWN"),
        Errno::ROFS => anyhow!("{what}: it is mounted read-only"),
        error => anyhow::Error::from(error).context(what),
    }
}

impl Owner {
    fn of(stat: &Stat) -> Self {
        Self { uid: Uid::from_raw(stat.st_uid), gid: Gid::from_raw(stat.st_gid) }
    }
}

impl FromStr for Owner {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (uid, gid) = text.split_once(':').unwrap_or((text, text));
        let number = |text: &str| {
            // The highest one means no user to the kernel.
            text.parse().ok().filter(|number| *number != u32::MAX).context("not a number of a user")
        };
        Ok(Self { uid: Uid::from_raw(number(uid)?), gid: Gid::from_raw(number(gid)?) })
    }
}
