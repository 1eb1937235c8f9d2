//! Choice of the one process that fetches an item, among those with the same cache.
//!
//! Each lock is a file that only this user can open, in a directory that only this user can look into. No other user can
//! keep it locked.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::CollateralId;

/// The directory of the locks, in that of the cache.
const DIRECTORY: &str = ".locks";
/// How often a lock that somebody else has is tried.
const PAUSE: Duration = Duration::from_millis(10);

/// Who fetches an item.
#[derive(Debug)]
pub(crate) enum ItemLock {
    /// Whoever holds this, and nobody else.
    Held { _lock: HeldLock },
    /// Somebody else.
    Busy,
    /// Everybody for himself, since there can be no lock here: nothing can be written.
    Impossible,
}

/// A lock, until this is dropped. To close the file would not be enough: a child process that was forked meanwhile has
/// it open, too.
#[derive(Debug)]
pub(crate) struct HeldLock(File);

impl Drop for HeldLock {
    fn drop(&mut self) {
        let _ = flock(&self.0, FlockOperation::Unlock);
    }
}

impl ItemLock {
    /// The right to fetch the item into this cache, as soon as nobody else has it, until the deadline at the latest.
    pub(super) fn acquire(cache: &Path, item: &CollateralId, deadline: Instant) -> Self {
        let Ok(file) = open(&cache.join(DIRECTORY), number(item)) else { return Self::Impossible };
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Self::Held { _lock: HeldLock(file) },
                Err(Errno::WOULDBLOCK) if Instant::now() >= deadline => return Self::Busy,
                Err(Errno::WOULDBLOCK) => thread::sleep(PAUSE),
                Err(_) => return Self::Impossible,
            }
        }
    }
}

fn open(directory: &Path, number: u8) -> io::Result<File> {
    private_directory::make(directory)?;
    private_directory::check(directory).map_err(io::Error::other)?;
    if fs::metadata(directory)?.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(directory, Permissions::from_mode(0o700))?;
    }
    private_directory::open_lock(&directory.join(format!("{number:02x}")))
}

/// Which of the 256 locks: the same in each process, whoever has built it. Questions that somebody makes up leave no
/// more files than that; items share a lock by chance.
fn number(item: &CollateralId) -> u8 {
    let mix = |hash: u8, byte| hash.rotate_left(3).wrapping_mul(5) ^ byte;
    item.to_string().bytes().fold(0, mix)
}
