//! The directory of a software platform.
//!
//! | file | content | when it is missing |
//! |---|---|---|
//! | `deployment.json` | the root of trust, the same on all machines that share it | only `init` creates it |
//! | `machine.json` | this machine's secret | created: a new machine joins the deployment |
//! | `tcb.json` | the published TCB of the deployment | nothing is published |
//! | `microcode.json` | the number of microcode updates of this machine | none |
//! | `attestation-key.sealed` | the attestation key, certified and sealed | created |
//!
//! They are created in this order. So an earlier file that is missing beside a later one was lost,
//! which is an error: a new one would make another platform. The same is true of `microcode.json`
//! if the attestation key is for a later TCB. A damaged file is an error; only `tcb.json`,
//! `microcode.json`, and the attestation key after a change of TCB are replaced.
//!
//! Several processes may open the same directory at the same time: files appear atomically, all
//! processes use the first `machine.json`, and all derive the same attestation key.

mod error;
mod tcb;

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use private_directory::NotPrivate;
use serde::de::DeserializeOwned;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::attestation_key::AttestationKey;
use crate::machine::Machine;
use crate::sealing::{seal, unseal};
use crate::state_file;
use crate::{Deployment, MachineSecret, PlatformError, SoftwarePlatform, SubjectNames};

pub use self::error::StateError;
pub use self::tcb::TcbStamp;

impl SoftwarePlatform {
    /// Opens the platform in this directory, and creates the files of a new machine.
    ///
    /// # Errors
    /// [`StateError::NotInitialized`] when there is no deployment; the others as they say.
    pub fn open(directory: &Path) -> Result<Self, StateError> {
        let state = StateDirectory::new(directory);
        state.check_private()?;
        let deployment = state.deployment()?;
        state.platform(deployment)
    }

    /// Opens the platform in this directory for reading. Root may do so in another user's
    /// directory, where nothing is written and no symbolic link is followed; in a directory of this
    /// user, missing files are created as by [`Self::open`].
    ///
    /// # Errors
    /// As [`Self::open`]; [`StateError::Incomplete`] if a file is missing in another user's
    /// directory.
    pub fn open_to_read(directory: &Path) -> Result<Self, StateError> {
        let mut state = StateDirectory::new(directory);
        state.is_anothers = state.check_to_read()?;
        let deployment = state.deployment()?;
        state.platform(deployment)
    }

    /// Stores the deployment in this directory, created if needed, and opens the platform.
    ///
    /// # Errors
    /// [`StateError::AlreadyInitialized`] when there is a deployment; the others as they say.
    pub fn init(directory: &Path, deployment: Deployment) -> Result<Self, StateError> {
        let state = StateDirectory::new(directory);
        state.check_private()?;
        state.keep_deployment(&deployment)?;
        state.platform(deployment)
    }

    /// Opens the platform in this directory, or creates one with a root of its own.
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
            // Another process was faster: use its deployment.
            Err(StateError::AlreadyInitialized(_)) => Self::open(directory),
            result => result,
        }
    }
}

/// The paths of the files.
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

    /// Checks that no other user can replace these keys.
    fn check_private(&self) -> Result<(), NotPrivate> {
        private_directory::check(&self.directory)?;
        self.files().into_iter().try_for_each(private_directory::check)
    }

    /// The same for a process that only reads; returns `true` for another user's directory.
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
            // Another process was faster: use its machine.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            result => result.map_err(|reason| io_error("write", &self.machine, reason))?,
        }
        self.read_json(&self.machine)?
            .ok_or_else(|| io_error("read", &self.machine, ErrorKind::NotFound.into()))
    }

    /// The stored attestation key if it is for this TCB, else a new one, which is stored unless the
    /// directory is another user's.
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
    fn a_change_of_tcb_stores_another_attestation_key() {
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
