//! Serde form of 32 secret bytes: hexadecimal digits.

use serde::{Deserializer, Serializer};
use zeroize::Zeroizing;

pub(crate) fn serialize<S: Serializer>(
    secret: &Zeroizing<[u8; 32]>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    hex::serialize(**secret, serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Zeroizing<[u8; 32]>, D::Error> {
    hex::deserialize(deserializer).map(Zeroizing::new)
}
