//! The names by which platforms register.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use hex::FromHex;

/// The longest name, in characters, as in a PCCS.
const MAX_NAME: usize = 260;

/// The parameter `qeid` or the field `qe_id`: the QE id of a platform, or another name of it, such
/// as `PCKIDRetrievalTool -platform_id` sends one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PlatformName {
    /// The QE id, 16 bytes.
    QeId([u8; 16]),
    /// 1 to 260 printable ASCII characters, in upper case.
    Other(String),
}

/// The text is empty, too long, or not printable.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must have 32 hexadecimal digits, or be another name of 1 to {MAX_NAME} printable ASCII \
     characters"
)]
pub(crate) struct NotAName;

impl PlatformName {
    /// Parses a name. Upper and lower case are the same.
    pub(crate) fn parse(text: &str) -> Result<Self, NotAName> {
        if let Ok(qe_id) = <[u8; 16]>::from_hex(text) {
            return Ok(Self::QeId(qe_id));
        }
        let is_printable = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        if text.is_empty() || text.len() > MAX_NAME || !is_printable {
            return Err(NotAName);
        }
        Ok(Self::Other(text.to_ascii_uppercase()))
    }

    /// The QE id under which the platform is kept. For another name it is the first 16 bytes of
    /// the name's SHA-256, so that nobody can find a name for somebody else's QE id.
    pub(crate) fn qe_id(&self) -> [u8; 16] {
        match self {
            Self::QeId(qe_id) => *qe_id,
            Self::Other(name) => {
                let digest = digest(&SHA256, name.as_bytes());
                let mut qe_id = [0; 16];
                qe_id.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
                qe_id
            }
        }
    }
}

impl fmt::Display for PlatformName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::QeId(qe_id) => f.write_str(&hex::encode_upper(qe_id)),
            Self::Other(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_qe_id_or_up_to_260_characters() {
        assert_eq!(PlatformName::parse(&"0a".repeat(16)), Ok(PlatformName::QeId([10; 16])));
        for name in ["x", "rack 7/node 3", &"0a".repeat(17), &"A".repeat(260)] {
            assert_eq!(PlatformName::parse(name).unwrap().to_string(), name.to_ascii_uppercase());
        }
        for name in ["", "\n", "ä", "\u{7f}", &"A".repeat(261)] {
            assert_eq!(PlatformName::parse(name), Err(NotAName), "{name:?}");
        }
    }

    #[test]
    fn names_have_qe_ids_of_their_own_and_case_does_not_count() {
        let qe_id = |name: &str| PlatformName::parse(name).unwrap().qe_id();
        assert_eq!(qe_id("node-a"), qe_id("NODE-A"));
        assert_ne!(qe_id("node-a"), qe_id("node-b"));
    }
}
