//! Changes of the published TCB and of the machine's microcode.

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
    /// Changes the TCB that the deployment has published, and returns the changed platform.
    ///
    /// # Errors
    /// [`StateError::Microcode`] for too many TCB recoveries; else as [`Self::open`].
    pub fn publish_tcb(
        directory: &Path,
        change: impl FnOnce(&Self, &mut PublishedTcb) -> Result<(), MicrocodeError>,
    ) -> Result<Self, StateError> {
        let state = StateDirectory::new(directory);
        let _lock = state.lock()?;
        let platform = Self::open(directory)?;
        let mut tcb = platform.published_tcb().clone();
        change(&platform, &mut tcb)?;
        write(&state.tcb, &tcb)?;
        Self::open(directory)
    }

    /// Updates the microcode of the machine to the newest published level. The attestation key and
    /// the PCK certificate are then for the new TCB.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn update_microcode(directory: &Path) -> Result<Self, StateError> {
        let state = StateDirectory::new(directory);
        let _lock = state.lock()?;
        let platform = Self::open(directory)?;
        let newest = platform.published_tcb().newest_microcode();
        if platform.microcode() >= newest {
            return Ok(platform);
        }
        write(&state.microcode, &MicrocodeFile { version: VERSION, updates: newest })?;
        Self::open(directory)
    }

    /// Reverts the published TCB and the microcode updates of the machine, even if their files are
    /// damaged. The machine gets its first attestation key again.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn reset_tcb(directory: &Path) -> Result<Self, StateError> {
        let state = StateDirectory::new(directory);
        let _lock = state.lock()?;
        // Remove the key first: one for later microcode than the machine's is an error.
        for file in [&state.attestation_key, &state.microcode, &state.tcb] {
            state_file::remove(file).map_err(|reason| io_error("remove", file, reason))?;
        }
        match Self::open(directory) {
            // A running service that follows changes has stored a key for the old microcode again.
            Err(StateError::AttestationKey { file, .. }) => {
                state_file::remove(&file).map_err(|reason| io_error("remove", &file, reason))?;
                Self::open(directory)
            }
            opened => opened,
        }
    }
}

/// Identifies the versions of the files about the TCB. After a change of the stamp, an open
/// platform has to be opened again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TcbStamp([Option<FileStamp>; 2]);

#[derive(Debug, Clone, PartialEq, Eq)]
struct FileStamp {
    inode: u64,
    modified: (i64, i64),
    size: u64,
}

impl TcbStamp {
    /// The current stamp of this directory, at the cost of two calls of stat.
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

/// The lock file. The directory itself is not locked, since other users may be able to open it.
const LOCK: &str = ".lock";
/// Maximum wait for the lock.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);
/// Interval of the attempts to lock.
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// The stored form of the microcode.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MicrocodeFile {
    version: u32,
    updates: Microcode,
}

impl StateDirectory {
    /// Excludes other changes of the TCB until the file is closed.
    fn lock(&self) -> Result<File, StateError> {
        // Check first: a lock file of root would lock the owner of the directory out.
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

/// Locks the file, and waits for other processes.
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
