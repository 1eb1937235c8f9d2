//! What two enclaves say to each other once they trust each other.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};

/// A key that only the two enclaves know.
pub struct Conversation {
    key: RandomizedNonceKey,
}

/// A message could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConversationError {
    /// The crypto library failed.
    #[error("the message cannot be encrypted")]
    Seal,
    /// It is not what the other enclave has sealed.
    #[error("the message was changed, or is under another key, or from somebody else")]
    Open,
}

impl Conversation {
    /// Derives the key from a secret that both have agreed on; `None` if the crypto library fails.
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

    /// Encrypts a message of this sender. The nonce, 12 bytes, goes first.
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

    /// Decrypts what [`seal`](Self::seal) gave to this sender. Since both enclaves have the same
    /// key, the sender's name is authenticated too: nobody can send a message back to who wrote it.
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
    fn the_other_reads_what_was_sealed() {
        let sealed = conversation().seal("alice", "hello").unwrap();
        assert_eq!(conversation().open("alice", &sealed).unwrap(), "hello");
    }

    #[test]
    fn a_message_that_was_changed_is_not_opened() {
        let sealed = conversation().seal("alice", "hello").unwrap();
        for changed in 0..sealed.len() {
            let mut sealed = sealed.clone();
            sealed[changed] ^= 1;
            assert_eq!(conversation().open("alice", &sealed), Err(ConversationError::Open));
        }
        assert_eq!(conversation().open("alice", &sealed[..11]), Err(ConversationError::Open));
    }

    #[test]
    fn a_message_does_not_come_back_as_the_others() {
        let sealed = conversation().seal("alice", "hello").unwrap();
        assert_eq!(conversation().open("bob", &sealed), Err(ConversationError::Open));
    }

    #[test]
    fn another_secret_opens_nothing() {
        let sealed = Conversation::new(b"another").unwrap().seal("alice", "hello").unwrap();
        assert_eq!(conversation().open("alice", &sealed), Err(ConversationError::Open));
    }
}
