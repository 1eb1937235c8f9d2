//! Encodings of byte strings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::ValueEnum;

/// The largest size that is not shortened: REPORTDATA and signatures have 64 bytes.
const SHORT: usize = 64;
/// The bytes to show of a longer one.
const SHOWN: usize = 32;

/// An encoding of byte strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Encoding {
    /// Hexadecimal, in lower case.
    Hex,
    /// Base64 with padding (RFC 4648, section 4).
    Base64,
}

impl Encoding {
    pub(super) fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => hex::encode(bytes),
            Self::Base64 => STANDARD.encode(bytes),
        }
    }

    /// The value of `--encoding`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Hex => "hex",
            Self::Base64 => "base64",
        }
    }
}

/// Hexadecimal; of a long byte string the first bytes and the size.
pub(super) fn shortened(bytes: &[u8]) -> String {
    match bytes.get(..SHOWN) {
        Some(shown) if bytes.len() > SHORT => {
            format!("{}… ({} bytes)", hex::encode(shown), bytes.len())
        }
        _ => hex::encode(bytes),
    }
}
