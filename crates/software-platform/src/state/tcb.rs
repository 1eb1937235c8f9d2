//! TCB recovery: what is published and which microcode the machine runs, changed in its directory.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{StateDirectory, StateError, io_error};
use crate::{Microcode, MicrocodeError, PublishedTcb, SoftwarePlatform, state_file};

impl SoftwarePlatform {
    /// Changes what the deployment in this directory has published; gives the platform as it is then.
    ///
    /// # Errors
    /// [`StateError::Microcode`] when the change makes too many TCB recoveries; else as [`Self::open`].
    pub fn publish_tcb(
        directory: &Path,
        change: impl FnOnce(&Self, &mut PublishedTcb) -> Result<(), MicrocodeError>,
    ) -> Result<Self, StateError> {
        let state = StateDirectory::new(directory);
        let _alone = state.lock()?;
        let platform = Self::open(directory)?;
        let mut tcb = platform.published_tcb().clone();
        change(&platform, &mut tcb)?;
        write(&state.tcb, &tcb)?;
        Self::open(directory)
    }

    /// Updates the microcode of the machine in this directory to what is needed to be up to date, or
    /// leaves it if it is. The attestation key and the PCK certificate are then for the new TCB.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn update_microcode(directory: &Path) -> Result<Self, StateError> {
        let state = StateDirectory::new(directory);
        let _alone = state.lock()?;
        let platform = Self::open(directory)?;
        let newest = platform.published_tcb().newest_microcode();
        if platform.microcode() >= newest {
            return Ok(platform);
        }
        write(&state.microcode, &MicrocodeFile { version: VERSION, updates: newest })?;
        Self::open(directory)
    }

    /// Takes back all that was published, and the microcode updates of the machine in this directory,
    /// whatever its files say. Its first attestation key is made again.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn reset_tcb(directory: &Path) -> Result<Self, StateError> {
        let state = StateDirectory::new(directory);
        let _alone = state.lock()?;
        // A machine loses its microcode updates only after the key that is for them.
        for file in [&state.attestation_key, &state.microcode, &state.tcb] {
            state_file::remove(file).map_err(|reason| io_error("remove", file, reason))?;
        }
        match Self::open(directory) {
            // A service that follows each change has made the key again, for the microcode that is
            // gone now.
            Err(StateError::AttestationKey { file, .. }) => {
                state_file::remove(&file).map_err(|reason| io_error("remove", &file, reason))?;
                Self::open(directory)
            }
            opened => opened,
        }
    }
}

/// Which files about the TCB a directory has. It is another one after each change, so that who holds
/// an open platform can tell when to open it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TcbStamp([Option<FileStamp>; 2]);

#[derive(Debug, Clone, PartialEq, Eq)]
struct FileStamp {
    inode: u64,
    modified: (i64, i64),
    size: u64,
}

impl TcbStamp {
    /// The stamp of this directory as it is now: two questions to the file system.
    #[must_use]
    pub fn of(directory: &Path) -> Self {
        let state = StateDirectory::new(directory);
        Self([&state.tcb, &state.microcode].map(|path| {
            let file = fs::metadata(path).ok()?;
            let modified = (file.mtime(), file.mtime_nsec());
            Some(FileStamp { inode: file.ino(), modified, size: file.size() })
        }))
    }
}

const VERSION: u32 = 1;

/// The file that is locked. Not the directory itself, which other users may be able to open, and so to lock.
const LOCK: &str = ".lock";
/// How long another process may take to change the TCB.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a lock that another process has is tried.
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// The microcode as it is kept.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MicrocodeFile {
    version: u32,
    updates: Microcode,
}

impl StateDirectory {
    /// Keeps others from changing the TCB of this platform, until the file is closed.
    fn lock(&self) -> Result<File, StateError> {
        // First: root would leave a lock in another user's directory that keeps that user out.
        self.check_private()?;
        self.deployment()?;
        let path = self.directory.join(LOCK);
        let lock = private_directory::open_lock(&path).and_then(locked);
        lock.map_err(|reason| io_error("lock", &path, reason))
    }

    pub(super) fn published_tcb(&self) -> Result<PublishedTcb, StateError> {
        self.read_tcb(&self.tcb).map(Option::unwrap_or_default)
    }

    fn read_tcb<T: DeserializeOwned>(&self, path: &Path) -> Result<Option<T>, StateError> {
        self.read(path)?
            .map(|bytes| serde_json::from_slice(&bytes))
            .transpose()
            .map_err(|reason| damaged(path, reason))
    }

    pub(super) fn microcode(&self) -> Result<Microcode, StateError> {
        match self.read_tcb(&self.microcode)? {
            None => Ok(Microcode::default()),
            Some(MicrocodeFile { version: VERSION, updates }) => Ok(updates),
            Some(MicrocodeFile { version, .. }) => {
                let reason = format!(
                    "it has format version {version}, this program knows only version {VERSION}"
                );
                Err(damaged(&self.microcode, serde::de::Error::custom(reason)))
            }
        }
    }
}

/// The file, as soon as no other process has locked it.
fn locked(file: File) -> io::Result<File> {
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if start.elapsed() < LOCK_TIMEOUT => sleep(LOCK_PAUSE),
            Err(TryLockError::WouldBlock) => {
                let problem =
                    "another process has it for 10 seconds; end that process, and try again";
                return Err(io::Error::new(ErrorKind::TimedOut, problem));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

fn damaged(file: &Path, reason: serde_json::Error) -> StateError {
    StateError::DamagedTcb { file: file.to_owned(), reason }
}

fn write(path: &Path, value: &impl Serialize) -> Result<(), StateError> {
    state_file::replace_json(path, value).map_err(|reason| io_error("write", path, reason))
}
