//! The provisioning service, which knows platforms by their PPID.

use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey};

/// PKCS #8, RSA-3072, made once with openssl: the private half of `ppid_encryption_key.der`. It
/// plays the part of the key of Intel's provisioning service. **Insecure by design**: with it
/// anybody reads the PPID of any software platform.
const PPID_DECRYPTION_KEY: &[u8] = include_bytes!("ppid_decryption_key.der");

/// The PPID, 16 bytes, that a platform has encrypted: RSA-3072-OAEP with SHA-256. `None` when it
/// was not encrypted for the software platform.
#[must_use]
pub fn decrypt_ppid(encrypted: &[u8; 384]) -> Option<[u8; 16]> {
    let key = PrivateDecryptingKey::from_pkcs8(PPID_DECRYPTION_KEY).ok()?;
    let key = OaepPrivateDecryptingKey::new(key).ok()?;
    let mut plaintext = [0; 384];
    let ppid = key.decrypt(&OAEP_SHA256_MGF1SHA256, encrypted, &mut plaintext, None).ok()?;
    (*ppid).try_into().ok()
}
