//! The software platform as it is kept in a directory.
//!
//! | file | content | when it is missing |
//! |---|---|---|
//! | `deployment.json` | the root of trust, the same on all machines that share it | only `init` makes it |
//! | `machine.json` | this machine's secret | made: a new machine joins the deployment |
//! | `tcb.json` | what the deployment has published about its TCB | nothing has been |
//! | `microcode.json` | how many microcode updates this machine has had | none |
//! | `attestation-key.sealed` | the attestation key, certified and sealed | made |
//!
//! They are made in this order. So an earlier file that is missing beside a later one was lost, which
//! is an error: making it again would make another platform. That goes for `microcode.json` too if
//! the attestation key is for a later TCB. A damaged file is an error; nothing is overwritten but
//! what is published, the microcode, and the attestation key after a change of TCB.
//!
//! Several processes may open the same directory at the same time: each file appears whole, the
//! first `machine.json` stays and the others take it, and all make the same attestation key.

mod tcb;

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use printable::json_error;
use private_directory::NotPrivate;
use serde::de::DeserializeOwned;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::attestation_key::AttestationKey;
use crate::machine::Machine;
use crate::sealing::{seal, unseal};
use crate::state_file;
use crate::{
    Deployment, MachineSecret, MicrocodeError, PlatformError, SoftwarePlatform, SubjectNames,
    UnsealError,
};

pub use tcb::TcbStamp;

/// The platform's directory cannot be used. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// There is no platform here yet.
    #[error(
        "{0} holds no software platform yet; initialize it first (`quote-helper platform init`)"
    )]
    NotInitialized(PathBuf),
    /// There is a platform here already.
    #[error("{0} holds a software platform already; open it, or choose another directory")]
    AlreadyInitialized(PathBuf),
    /// A file is gone that was there.
    #[error(
        "{lost} is missing, though {later} was made after it; restore it from a backup, or move \
         the directory away to begin with another platform"
    )]
    Lost {
        /// The missing file.
        lost: PathBuf,
        /// The file that is still there.
        later: PathBuf,
    },
    /// A JSON file does not say what it said when it was written.
    #[error(
        "{file} cannot be used: {reason}; it was left as it is: restore it from a backup, or move \
         the directory away to begin with another platform",
        reason = json_error(reason)
    )]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: serde_json::Error,
    },
    /// The sealed attestation key does not open.
    #[error(
        "{file} cannot be used: {reason}; it was left as it is: restore it from a backup, or \
         remove it, and the same key is made again"
    )]
    AttestationKey {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: UnsealError,
    },
    /// The machine has not joined the deployment yet, and another user's process looks at it.
    #[error(
        "{0} is not there yet; the next start of the quote service makes it, or any use of the platform by its user"
    )]
    Incomplete(PathBuf),
    /// What is kept about the TCB does not say what it said when it was written.
    #[error(
        "{file} cannot be used: {reason}; it was left as it is: restore it from a backup, or take all \
         TCB recoveries back (`quote-helper platform tcb --reset`)",
        reason = json_error(reason)
    )]
    DamagedTcb {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: serde_json::Error,
    },
    /// Too many TCB recoveries or microcode updates.
    #[error("{0}; take them back to begin again (`quote-helper platform tcb --reset`)")]
    Microcode(#[from] MicrocodeError),
    /// The operating system refused.
    #[error("cannot {action} {path}: {reason}; check its permissions and the space on its disk")]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file or directory.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// Others could change the platform's files.
    #[error(transparent)]
    NotPrivate(#[from] NotPrivate),
    /// The files are good, but the platform could not be put together.
    #[error(transparent)]
    Platform(#[from] PlatformError),
}

impl SoftwarePlatform {
    /// Opens the platform in this directory, and makes the files of this machine if it is new.
    ///
    /// # Errors
    /// [`StateError::NotInitialized`] when there is no deployment; the others as they say.
    pub fn open(directory: &Path) -> Result<Self, StateError> {
        let state = StateDirectory::new(directory);
        state.check_private()?;
        let deployment = state.deployment()?;
        state.platform(deployment)
    }

    /// Opens the platform in this directory to look at it. Root's processes may do so in another
    /// user's directory, where nothing is changed and no symbolic link is followed; a directory of
    /// this user is completed as by [`Self::open`].
    ///
    /// # Errors
    /// As [`Self::open`]; [`StateError::Incomplete`] if a file is missing that its user's next use
    /// makes.
    pub fn open_to_read(directory: &Path) -> Result<Self, StateError> {
        let mut state = StateDirectory::new(directory);
        state.is_anothers = state.check_to_read()?;
        let deployment = state.deployment()?;
        state.platform(deployment)
    }

    /// Keeps the deployment in this directory, made if it is not there, and opens the platform.
    ///
    /// # Errors
    /// [`StateError::AlreadyInitialized`] when there is a deployment; the others as they say.
    pub fn init(directory: &Path, deployment: Deployment) -> Result<Self, StateError> {
        let state = StateDirectory::new(directory);
        state.check_private()?;
        state.keep_deployment(&deployment)?;
        state.platform(deployment)
    }

    /// Opens the platform in this directory, or makes one with a root of its own, named so and
    /// created now.
    ///
    /// # Errors
    /// As [`Self::open`], but for [`StateError::NotInitialized`].
    pub fn open_or_init(
        directory: &Path,
        names: SubjectNames,
        now: OffsetDateTime,
    ) -> Result<Self, StateError> {
        match Self::open(directory) {
            Err(StateError::NotInitialized(_)) => {}
            result => return result,
        }
        let deployment = Deployment::generate(names, now).map_err(PlatformError::from)?;
        match Self::init(directory, deployment) {
            // Another process was faster: its deployment counts.
            Err(StateError::AlreadyInitialized(_)) => Self::open(directory),
            result => result,
        }
    }
}

/// The places of the files.
struct StateDirectory {
    /// True if it is another user's: nothing is written, and no symbolic link is followed.
    is_anothers: bool,
    directory: PathBuf,
    deployment: PathBuf,
    machine: PathBuf,
    tcb: PathBuf,
    microcode: PathBuf,
    attestation_key: PathBuf,
}

impl StateDirectory {
    fn new(directory: &Path) -> Self {
        Self {
            is_anothers: false,
            directory: directory.to_owned(),
            deployment: directory.join("deployment.json"),
            machine: directory.join("machine.json"),
            tcb: directory.join("tcb.json"),
            microcode: directory.join("microcode.json"),
            attestation_key: directory.join("attestation-key.sealed"),
        }
    }

    /// Checks that nobody else can put keys of his own in the place of these.
    fn check_private(&self) -> Result<(), NotPrivate> {
        private_directory::check(&self.directory)?;
        self.files().into_iter().try_for_each(private_directory::check)
    }

    /// The same for a process that only reads; says whether the directory is another user's.
    fn check_to_read(&self) -> Result<bool, NotPrivate> {
        private_directory::check_to_read(&self.directory, self.files())
    }

    fn files(&self) -> [&Path; 5] {
        [&self.deployment, &self.machine, &self.tcb, &self.microcode, &self.attestation_key]
            .map(PathBuf::as_path)
    }

    fn read(&self, path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, StateError> {
        let read = match self.is_anothers {
            true => state_file::read_anothers(path),
            false => state_file::read(path),
        };
        read.map_err(|reason| io_error("read", path, reason))
    }

    fn read_json<T: DeserializeOwned>(&self, path: &Path) -> Result<Option<T>, StateError> {
        self.read(path)?
            .map(|bytes| serde_json::from_slice(&bytes))
            .transpose()
            .map_err(|reason| StateError::Damaged { file: path.to_owned(), reason })
    }

    fn keep_deployment(&self, deployment: &Deployment) -> Result<(), StateError> {
        private_directory::make(&self.directory)
            .map_err(|reason| io_error("make the directory", &self.directory, reason))?;
        match self.deployment() {
            Err(StateError::NotInitialized(_)) => {}
            Ok(_) => return Err(StateError::AlreadyInitialized(self.directory.clone())),
            Err(error) => return Err(error),
        }
        match state_file::create_json(&self.deployment, deployment) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Err(StateError::AlreadyInitialized(self.directory.clone()))
            }
            result => result.map_err(|reason| io_error("write", &self.deployment, reason)),
        }
    }

    fn deployment(&self) -> Result<Deployment, StateError> {
        let later = [&self.machine, &self.attestation_key].into_iter().find(|path| path.exists());
        match (self.read_json(&self.deployment)?, later) {
            (Some(deployment), _) => Ok(deployment),
            (None, Some(later)) => Err(lost(&self.deployment, later)),
            (None, None) => Err(StateError::NotInitialized(self.directory.clone())),
        }
    }

    fn platform(&self, deployment: Deployment) -> Result<SoftwarePlatform, StateError> {
        let secret = self.machine_secret()?;
        let tcb = self.published_tcb()?;
        let machine = Machine::new(self.microcode()?, secret).map_err(PlatformError::from)?;
        let attestation_key = self.attestation_key(&machine)?;
        Ok(SoftwarePlatform::assemble(deployment, tcb, machine, attestation_key)?)
    }

    fn machine_secret(&self) -> Result<MachineSecret, StateError> {
        let later_exists = self.attestation_key.exists();
        if let Some(secret) = self.read_json(&self.machine)? {
            return Ok(secret);
        }
        if later_exists {
            return Err(lost(&self.machine, &self.attestation_key));
        }
        if self.is_anothers {
            return Err(StateError::Incomplete(self.machine.clone()));
        }
        let secret = MachineSecret::generate().ok_or(PlatformError::Random)?;
        match state_file::create_json(&self.machine, &secret) {
            // Another process was faster: its machine counts.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            result => result.map_err(|reason| io_error("write", &self.machine, reason))?,
        }
        self.read_json(&self.machine)?
            .ok_or_else(|| io_error("read", &self.machine, ErrorKind::NotFound.into()))
    }

    /// The kept attestation key if it is for this TCB, else a new one, kept from now on unless it
    /// is another user's.
    fn attestation_key(&self, machine: &Machine) -> Result<AttestationKey, StateError> {
        let file = &self.attestation_key;
        if let Some(bytes) = self.read(file)? {
            let key = unseal(machine, &bytes)
                .map_err(|reason| StateError::AttestationKey { file: file.clone(), reason })?;
            if key.tcb == machine.tcb() {
                return Ok(key);
            }
        }
        let key = AttestationKey::make(machine)?;
        if self.is_anothers {
            return Ok(key);
        }
        state_file::replace(file, &seal(machine, &key)?)
            .map_err(|reason| io_error("write", file, reason))?;
        Ok(key)
    }
}

fn lost(lost: &Path, later: &Path) -> StateError {
    StateError::Lost { lost: lost.to_owned(), later: later.to_owned() }
}

fn io_error(action: &'static str, path: &Path, reason: io::Error) -> StateError {
    StateError::Io { action, path: path.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Microcode;

    fn machine(updates: u8) -> Machine {
        let microcode = Microcode::try_from(updates).unwrap();
        Machine::new(microcode, MachineSecret::from_bytes([7; 32])).unwrap()
    }

    #[test]
    fn a_change_of_tcb_makes_another_attestation_key_and_keeps_it() {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDirectory::new(directory.path());
        let (before, after) = (machine(0), machine(1));
        let old = state.attestation_key(&before).unwrap();
        let new = state.attestation_key(&after).unwrap();
        assert_eq!(new.tcb, after.tcb());
        assert!(new.key != old.key);
        assert!(state.attestation_key(&after).unwrap() == new);
    }

    #[test]
    fn the_key_of_a_later_tcb_stays() {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDirectory::new(directory.path());
        let key = state.attestation_key(&machine(1)).unwrap();
        let error = state.attestation_key(&machine(0)).err().unwrap();
        let reason = "it names a TCB that this platform never had";
        assert!(error.to_string().contains(reason), "{error}");
        assert!(state.attestation_key(&machine(1)).unwrap() == key);
    }
}
