//! A lock, so that one instance starts at a time.

use std::fs::{File, TryLockError, remove_file, symlink_metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::socket_file::FileId;

/// The longest wait, more than another instance needs to start even on a busy machine.
const MAX_WAIT: Duration = Duration::from_secs(30);
const RETRY_INTERVAL: Duration = Duration::from_millis(10);

/// A locked file in the private directory, removed on drop. The kernel unlocks that of a process
/// that is killed.
#[derive(Debug)]
pub(crate) struct StartLock {
    path: PathBuf,
    _file: File,
}

impl StartLock {
    /// Waits for the lock; `None` if another process still holds it after [`MAX_WAIT`].
    pub(crate) async fn take(path: &Path) -> io::Result<Option<Self>> {
        let locked = timeout(MAX_WAIT, async {
            loop {
                match try_lock(path)? {
                    Some(file) => return Ok(Self { path: path.to_owned(), _file: file }),
                    None => sleep(RETRY_INTERVAL).await,
                }
            }
        });
        locked.await.ok().transpose()
    }
}

impl Drop for StartLock {
    fn drop(&mut self) {
        // Still locked, so no other instance has it.
        let _ = remove_file(&self.path);
    }
}

fn try_lock(path: &Path) -> io::Result<Option<File>> {
    let file = private_directory::open_lock(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    // The instance that had it may have removed the file since it was opened.
    let opened = FileId::of(&file.metadata()?);
    let is_there = symlink_metadata(path).is_ok_and(|there| FileId::of(&there) == opened);
    Ok(is_there.then_some(file))
}
