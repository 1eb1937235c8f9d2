//! `chown`: gives directories, and what their previous owner has created in them, to the user of a
//! service of the add-on. An init container runs it as root with the capability CHOWN only.

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

/// The owner creates and removes the socket; everybody may look it up.
const MODE: Mode =
    Mode::RWXU.union(Mode::RGRP).union(Mode::XGRP).union(Mode::ROTH).union(Mode::XOTH);

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// User id; after a colon the group id, if it differs.
    #[arg(long, value_name = "UID[:GID]")]
    user: Owner,

    /// Skips missing directories.
    #[arg(long)]
    if_present: bool,

    /// Directories. They get the mode 0755; entries of their previous owner get the new one.
    #[arg(required = true, value_name = "DIRECTORY")]
    directories: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Owner {
    uid: Uid,
    gid: Gid,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let owner = arguments.user;
    for directory in &arguments.directories {
        if arguments.if_present && is_missing(directory) {
            output::note(format_args!("{} does not exist", directory.display()));
            continue;
        }
        let opened = open_directory(directory)?;
        let given = give_contents(opened.as_fd(), owner).and_then(|()| give(opened.as_fd(), owner));
        given.map_err(|error| cannot_give(directory, owner, error))?;
        output::note(format_args!(
            "{} belongs to user {}",
            directory.display(),
            owner.uid.as_raw()
        ));
    }
    Ok(())
}

fn is_missing(path: &Path) -> bool {
    symlink_metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Opens the directory itself, so that later changes of the path have no effect. Opens it as a
/// path, which needs no read permission.
fn open_directory(path: &Path) -> anyhow::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::PATH | OFlags::CLOEXEC;
    open(path, flags, Mode::empty()).map_err(|error| match error {
        // The kernel also returns these for a symbolic link.
        Errno::NOTDIR | Errno::LOOP => anyhow!(
            "{} is not a directory, but a file or a symbolic link; remove it, or name another \
             place",
            path.display()
        ),
        error => anyhow::Error::from(error).context(format!("cannot open {}", path.display())),
    })
}

/// Sets mode and owner where they differ. The process becomes the owner before it sets the mode: so
/// it does not need the capability FOWNER, and none if nothing differs.
fn give(directory: BorrowedFd<'_>, owner: Owner) -> Result<(), Errno> {
    if Mode::from_raw_mode(fstat(directory)?.st_mode) != MODE {
        change_owner(directory, Owner::of_process())?;
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
    fn of_process() -> Self {
        Self { uid: geteuid(), gid: getegid() }
    }

    fn of(stat: &Stat) -> Self {
        Self { uid: Uid::from_raw(stat.st_uid), gid: Gid::from_raw(stat.st_gid) }
    }
}

impl FromStr for Owner {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (uid, gid) = text.split_once(':').unwrap_or((text, text));
        let number = |text: &str| {
            // To the kernel the maximum means no user.
            text.parse().ok().filter(|number| *number != u32::MAX).context("not a user id")
        };
        Ok(Self { uid: Uid::from_raw(number(uid)?), gid: Gid::from_raw(number(gid)?) })
    }
}
