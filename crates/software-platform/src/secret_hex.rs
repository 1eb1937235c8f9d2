//! Serde form of 32 secret bytes: hexadecimal digits.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserializer, Serializer};
use zeroize::Zeroizing;

pub(crate) fn serialize<S: Serializer>(
    secret: &Zeroizing<[u8; 32]>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&Zeroizing::new(hex::encode(secret.as_slice())))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Zeroizing<[u8; 32]>, D::Error> {
    // As it stands in the text: with an owned string, a copy of it would stay in memory.
    deserializer.deserialize_str(SecretVisitor)
}

struct SecretVisitor;

impl Visitor<'_> for SecretVisitor {
    type Value = Zeroizing<[u8; 32]>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("64 hexadecimal digits")
    }

    fn visit_str<E: Error>(self, digits: &str) -> Result<Self::Value, E> {
        let mut secret = Zeroizing::new([0; 32]);
        // The error would name digits of the secret.
        hex::decode_to_slice(digits, secret.as_mut())
            .map_err(|_| E::custom("a secret is not 64 hexadecimal digits"))?;
        Ok(secret)
    }
}
