//! One instance at a time comes to its sockets.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::OFlags;
use tokio::time::{sleep, timeout};

use super::AcquireError;
use crate::bound_socket::{BindError, FileId};

/// Longer than another one needs, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// A locked file in the private directory, which is removed in the end. Who is killed loses the lock.
#[derive(Debug)]
pub(super) struct StartLock {
    path: PathBuf,
    _file: File,
}

impl StartLock {
    /// Waits until nobody else has it.
    pub(super) async fn take(path: PathBuf) -> Result<Self, AcquireError> {
        let locked = timeout(PATIENCE, async {
            loop {
                match try_lock(&path) {
                    Ok(None) => sleep(LOOK_AGAIN).await,
                    Ok(Some(file)) => return Ok(file),
                    Err(error) => return Err(error),
                }
            }
        });
        match locked.await {
            Ok(Ok(file)) => Ok(Self { path, _file: file }),
            Ok(Err(source)) => Err(BindError::Io { path, source }.into()),
            Err(_) => Err(AcquireError::Locked(path)),
        }
    }
}

impl Drop for StartLock {
    fn drop(&mut self) {
        // Still locked, so that it is nobody else's.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn try_lock(path: &Path) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    // Whoever may not read the file can not lock it.
    options.write(true).create(true).mode(0o600);
    options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    let file = options.open(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    // The one who had it before has removed the file in the end.
    let opened = file.metadata()?;
    let opened = FileId { device: opened.dev(), inode: opened.ino() };
    Ok(FileId::at(path).is_ok_and(|there| there == opened).then_some(file))
}
