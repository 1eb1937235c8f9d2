//! Locks between processes, so that one at a time fetches an item.
//!
//! Each lock is a file that only this user can open, in a directory that only this user can look
//! into. No other user can keep it locked.

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
/// Interval of attempts to take a lock.
const PAUSE: Duration = Duration::from_millis(10);

/// The lock of an item.
#[derive(Debug)]
pub(crate) enum ItemLock {
    /// This process has it.
    Held { _lock: HeldLock },
    /// Another process has it.
    Busy,
    /// There can be no lock, since the directory cannot be written.
    Impossible,
}

/// A lock, until this is dropped. Closing the file is not enough: a forked child has it open, too.
#[derive(Debug)]
pub(crate) struct HeldLock(File);

impl Drop for HeldLock {
    fn drop(&mut self) {
        let _ = flock(&self.0, FlockOperation::Unlock);
    }
}

impl ItemLock {
    /// Waits until the deadline for the lock of an item in this cache.
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

/// The number of the item's lock, the same in all builds. There are 256 locks, however many items
/// clients make up, so some items share one.
fn number(item: &CollateralId) -> u8 {
    let mix = |hash: u8, byte| hash.rotate_left(3).wrapping_mul(5) ^ byte;
    item.to_string().bytes().fold(0, mix)
}
