//! Encrypted messages between enclaves that trust each other.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};

/// A key shared by the two enclaves only.
pub struct Conversation {
    key: RandomizedNonceKey,
}

/// Errors of encryption and decryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConversationError {
    /// The crypto library failed.
    #[error("the message cannot be encrypted")]
    Seal,
    /// The peer has not encrypted this message.
    #[error("the message was changed, or is under another key, or from another sender")]
    Open,
}

impl Conversation {
    /// Derives the key from the shared secret; `None` if the crypto library fails.
    pub(crate) fn new(secret: &[u8]) -> Option<Self> {
        let pseudorandom_key = Salt::new(HKDF_SHA256, b"remote attestation sample").extract(secret);
        let mut bytes = [0; 32];
        pseudorandom_key
            .expand(&[b"AES-256-GCM"], HKDF_SHA256)
            .and_then(|key| key.fill(&mut bytes))
            .and_then(|()| RandomizedNonceKey::new(&AES_256_GCM, &bytes))
            .map(|key| Self { key })
            .ok()
    }

    /// Encrypts a message of this sender; the nonce, 12 bytes, comes first.
    ///
    /// # Errors
    /// [`ConversationError::Seal`].
    pub fn seal(&self, sender: &str, message: &str) -> Result<Vec<u8>, ConversationError> {
        let mut bytes = message.as_bytes().to_vec();
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from(sender), &mut bytes)
            .map_err(|_| ConversationError::Seal)?;
        Ok([&nonce.as_ref()[..], &bytes].concat())
    }

    /// Decrypts a message that this sender encrypted with [`seal`](Self::seal). The sender's name
    /// is authenticated, since both enclaves have the same key: a message cannot be reflected.
    ///
    /// # Errors
    /// [`ConversationError::Open`].
    pub fn open(&self, sender: &str, sealed: &[u8]) -> Result<String, ConversationError> {
        let (nonce, rest) = sealed.split_first_chunk::<12>().ok_or(ConversationError::Open)?;
        let mut bytes = rest.to_vec();
        let message = self
            .key
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(sender), &mut bytes)
            .map_err(|_| ConversationError::Open)?;
        String::from_utf8(message.to_vec()).map_err(|_| ConversationError::Open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conversation() -> Conversation {
        Conversation::new(b"a secret").unwrap()
    }

    #[test]
    fn the_peer_reads_a_sealed_message() {
        let sealed = conversation().seal("alice", "hello").unwrap();
        assert_eq!(conversation().open("alice", &sealed).unwrap(), "hello");
    }

    #[test]
    fn a_modified_message_is_not_opened() {
        let sealed = conversation().seal("alice", "hello").unwrap();
        for changed in 0..sealed.len() {
            let mut sealed = sealed.clone();
            sealed[changed] ^= 1;
            assert_eq!(conversation().open("alice", &sealed), Err(ConversationError::Open));
        }
        assert_eq!(conversation().open("alice", &sealed[..11]), Err(ConversationError::Open));
    }

    #[test]
    fn a_message_cannot_be_reflected() {
        let sealed = conversation().seal("alice", "hello").unwrap();
        assert_eq!(conversation().open("bob", &sealed), Err(ConversationError::Open));
    }

    #[test]
    fn a_message_is_not_opened_with_another_secret() {
        let sealed = Conversation::new(b"another").unwrap().seal("alice", "hello").unwrap();
        assert_eq!(conversation().open("alice", &sealed), Err(ConversationError::Open));
    }
}
