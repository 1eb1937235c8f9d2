//! The secret that distinguishes software platforms.

use std::fmt;

use aws_lc_rs::hmac;
use aws_lc_rs::rand;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::secret_hex;

/// The secret of one machine, 32 bytes, in place of the fuses of a processor.
///
/// The software CPU's built-in keys are the same on all machines; all values that differ between
/// machines are derived from this secret.
///
/// The serialized form contains the secret and the QE_ID derived from it, and is rejected if the
/// two do not match.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "MachineFile", into = "MachineFile")]
pub struct MachineSecret(Zeroizing<[u8; 32]>);

impl MachineSecret {
    /// The machine with this secret: the same bytes give the same machine.
    #[must_use]
    pub fn from_bytes(secret: [u8; 32]) -> Self {
        Self(Zeroizing::new(secret))
    }

    /// A random secret. `None` when the operating system has no random bytes.
    #[must_use]
    pub fn generate() -> Option<Self> {
        let mut secret = Zeroizing::new([0; 32]);
        rand::fill(secret.as_mut()).ok()?;
        Some(Self(secret))
    }

    /// QE_ID, 16 bytes: the machine's public name at every TCB.
    pub(crate) fn qe_id(&self) -> [u8; 16] {
        *self.derive_16("QE_ID", &[])
    }

    /// HMAC-SHA256 under the secret over the purpose, a zero byte and the context, 32 bytes.
    pub(crate) fn derive(&self, purpose: &str, context: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        let mut mac =
            hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, self.0.as_slice()));
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        context.iter().for_each(|part| mac.update(part));
        let mut derived = Zeroizing::new([0; 32]);
        derived.copy_from_slice(mac.sign().as_ref());
        derived
    }

    /// As [`Self::derive`], the first 16 bytes.
    pub(crate) fn derive_16(&self, purpose: &str, context: &[&[u8]]) -> Zeroizing<[u8; 16]> {
        let derived = self.derive(purpose, context);
        let (first, _) = derived.split_at(16);
        let mut short = Zeroizing::new([0; 16]);
        short.copy_from_slice(first);
        short
    }
}

impl fmt::Debug for MachineSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MachineSecret(…)")
    }
}

const VERSION: u32 = 1;

/// The stored form.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MachineFile {
    version: u32,
    #[serde(with = "secret_hex")]
    secret: Zeroizing<[u8; 32]>,
    #[serde(with = "hex")]
    qe_id: [u8; 16],
}

/// A stored secret cannot be used.
#[derive(Debug, thiserror::Error)]
enum MachineFileError {
    #[error("the machine has format version {0}, this program knows only version {VERSION}")]
    Version(u32),
    #[error("the machine is damaged: its secret does not lead to its QE_ID")]
    Damaged,
}

impl From<MachineSecret> for MachineFile {
    fn from(secret: MachineSecret) -> Self {
        Self { version: VERSION, qe_id: secret.qe_id(), secret: secret.0 }
    }
}

impl TryFrom<MachineFile> for MachineSecret {
    type Error = MachineFileError;

    fn try_from(file: MachineFile) -> Result<Self, MachineFileError> {
        if file.version != VERSION {
            return Err(MachineFileError::Version(file.version));
        }
        let secret = Self(file.secret);
        if secret.qe_id() != file.qe_id {
            return Err(MachineFileError::Damaged);
        }
        Ok(secret)
    }
}
