//! A vendor's key, with which `openssl` signs enclaves.

use std::process::Command;

use sgx::{IntoBytes, SigStruct};
use tempfile::TempDir;

use crate::succeeded;

/// The length of what comes before the modulus in the DER of the public key.
const BEFORE_MODULUS: usize = 9;

/// An RSA-3072 key with exponent 3, in a directory of its own.
pub struct VendorKey {
    directory: TempDir,
}

impl VendorKey {
    /// Makes a key.
    #[allow(clippy::new_without_default, reason = "it takes a second")]
    pub fn new() -> Self {
        let key = Self { directory: tempfile::tempdir().unwrap() };
        key.openssl(
            "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -pkeyopt rsa_keygen_pubexp:3 \
             -out key.pem",
        );
        key
    }

    /// The bytes of this SIGSTRUCT with key and signature. Q1 and Q2, which are for the processor
    /// only, stay as they are.
    pub fn sign(&self, mut sig_struct: SigStruct) -> Vec<u8> {
        let path = |name: &str| self.directory.path().join(name);
        self.openssl("rsa -in key.pem -RSAPublicKey_out -outform DER -out key.der");
        let key = std::fs::read(path("key.der")).unwrap();
        sig_struct.modulus.copy_from_slice(&key[BEFORE_MODULUS..][..384]);
        sig_struct.modulus.reverse();
        std::fs::write(path("signed"), sig_struct.signed_bytes()).unwrap();
        self.openssl("dgst -sha256 -sign key.pem -out signature signed");
        sig_struct.signature.copy_from_slice(&std::fs::read(path("signature")).unwrap());
        sig_struct.signature.reverse();
        sig_struct.as_bytes().to_vec()
    }

    /// Runs `openssl` in the directory.
    fn openssl(&self, arguments: &str) {
        let mut command = Command::new("openssl");
        succeeded(command.args(arguments.split_whitespace()).current_dir(self.directory.path()));
    }
}
