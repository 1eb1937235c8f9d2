//! The secret that authenticates two instances: 32 random bytes in the private directory.
//!
//! Each side sends a nonce and an HMAC-SHA256 over a label of its role and both nonces, so that
//! neither learns the secret, and no proof can be replayed or sent back.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use atomic_file::Readers;
use aws_lc_rs::hmac;
use rustix::process::geteuid;

const SIZE: usize = 32;

/// A number that is used once.
pub type Nonce = [u8; 32];
/// The evidence that a peer has the secret.
pub type Proof = [u8; 32];

/// The secret of a private directory. It is made once, and stays for as long as the directory.
#[derive(Debug, Clone)]
pub struct Secret(hmac::Key);

/// The side of a hand-over that proves that it has the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The instance that serves.
    Predecessor,
    /// The instance that starts.
    Successor,
}

/// Both numbers of a conversation, so that its proofs are good for no other one.
#[derive(Debug, Clone, Copy)]
pub struct Nonces {
    /// The number of the instance that serves.
    pub predecessor: Nonce,
    /// The number of the instance that starts.
    pub successor: Nonce,
}

/// The secret cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be made or read.
    #[error("cannot use the secret of the hand-over {}: {source}", .path.display())]
    Io {
        /// The path of the secret.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file is not one of 32 bytes that this user alone can read.
    #[error(
        "{} is not a secret of the hand-over: {problem}. Stop the instance that serves, remove the \
         file, and start again: a new secret is made", .path.display()
    )]
    Unusable {
        /// The path of the secret.
        path: PathBuf,
        /// The reason, in words.
        problem: &'static str,
    },
}

impl Secret {
    /// Reads the secret at this path in a private directory, and makes it if there is none.
    ///
    /// # Errors
    /// [`SecretError`]; a file that is there is never replaced.
    pub fn open(path: &Path) -> Result<Self, SecretError> {
        let failed = |source| SecretError::Io { path: path.to_owned(), source };
        match read(path) {
            Err(SecretError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
                make(path).map_err(failed)?;
                read(path)
            }
            read => read,
        }
    }

    /// The evidence that this side of the conversation has the secret.
    #[must_use]
    pub fn prove(&self, role: Role, nonces: &Nonces) -> Proof {
        let tag = hmac::sign(&self.0, &message(role, nonces));
        let mut proof = Proof::default();
        proof.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
        proof
    }

    /// Verifies, in constant time, the proof of a peer with this role.
    pub(super) fn verifies(&self, role: Role, nonces: &Nonces, proof: &Proof) -> bool {
        hmac::verify(&self.0, &message(role, nonces), proof).is_ok()
    }
}

/// A random nonce.
pub(super) fn nonce() -> io::Result<Nonce> {
    let mut nonce = Nonce::default();
    aws_lc_rs::rand::fill(&mut nonce).map_err(|_| no_random_bytes())?;
    Ok(nonce)
}

fn message(role: Role, nonces: &Nonces) -> Vec<u8> {
    let label: &[u8] = match role {
        Role::Predecessor => b"sgx-quote-helper hand-over 2 predecessor",
        Role::Successor => b"sgx-quote-helper hand-over 2 successor",
    };
    [label, &nonces.predecessor, &nonces.successor].concat()
}

fn read(path: &Path) -> Result<Secret, SecretError> {
    let failed = |source| SecretError::Io { path: path.to_owned(), source };
    let unusable = |problem| SecretError::Unusable { path: path.to_owned(), problem };
    let wrong_size = || unusable("it is not a file of 32 bytes");
    let file = untrusted_input::open_unlinked(path).map_err(|error| match error.kind() {
        ErrorKind::InvalidInput => wrong_size(),
        _ => failed(error),
    })?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.len() != SIZE as u64 {
        return Err(wrong_size());
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(unusable("its mode lets others read or change it"));
    }
    if ![0, geteuid().as_raw()].contains(&metadata.uid()) {
        return Err(unusable("it belongs to another user"));
    }
    key_of(file).map_err(failed)
}

fn key_of(mut file: File) -> io::Result<Secret> {
    let mut bytes = [0; SIZE];
    file.read_exact(&mut bytes)?;
    Ok(Secret(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
}

/// Makes the file in one step, unless another process is faster.
fn make(path: &Path) -> io::Result<()> {
    let mut bytes = [0; SIZE];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| no_random_bytes())?;
    match atomic_file::create_new(path, &bytes, Readers::Owner) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

fn no_random_bytes() -> io::Error {
    io::Error::other("cannot get random bytes")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const NONCES: Nonces = Nonces { predecessor: [1; 32], successor: [2; 32] };

    fn secrets() -> [Secret; 2] {
        [[7; SIZE], [8; SIZE]].map(|bytes| Secret(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    #[test]
    fn the_secret_is_made_once_and_for_its_user_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        let [first, second] = [0, 1].map(|_| Secret::open(&path).unwrap());
        let proof = first.prove(Role::Successor, &NONCES);
        assert!(second.verifies(Role::Successor, &NONCES, &proof));
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!((metadata.mode() & 0o777, metadata.len()), (0o600, 32));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_proof_is_good_for_one_secret_one_role_and_one_conversation() {
        let [secret, other] = secrets();
        let proof = secret.prove(Role::Successor, &NONCES);
        assert!(secret.verifies(Role::Successor, &NONCES, &proof));
        assert!(!other.verifies(Role::Successor, &NONCES, &proof));
        assert!(!secret.verifies(Role::Predecessor, &NONCES, &proof));
        let swapped = Nonces { predecessor: NONCES.successor, successor: NONCES.predecessor };
        assert!(!secret.verifies(Role::Successor, &swapped, &proof));
        for bit in 0..256 {
            let mut changed = proof;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(!secret.verifies(Role::Successor, &NONCES, &changed), "bit {bit}");
        }
    }

    #[test]
    fn an_unusable_file_is_an_error_and_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        let refusal = || Secret::open(&path).unwrap_err().to_string();
        for content in [&[][..], &[7; SIZE - 1], &[7; SIZE + 1]] {
            fs::write(&path, content).unwrap();
            assert!(refusal().contains("it is not a file of 32 bytes"), "{}", refusal());
            assert_eq!(fs::read(&path).unwrap(), content);
        }
        fs::write(&path, [7; SIZE]).unwrap();
        for mode in [0o640, 0o604, 0o620] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            assert!(refusal().contains("its mode lets others"), "{}", refusal());
        }
        fs::remove_file(&path).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, 0o600.into()).unwrap();
        assert!(refusal().contains("it is not a file of 32 bytes"), "{}", refusal());
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("elsewhere", &path).unwrap();
        assert!(refusal().contains("cannot use the secret"), "{}", refusal());
    }
}
